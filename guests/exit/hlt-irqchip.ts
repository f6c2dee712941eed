import { asm, defineCase } from "../../mod.ts";

/** With the local APIC in the kernel HLT does not exit: the vCPU waits, halted, until a signal. */
export default defineCase({
  id: "exit/hlt-irqchip",
  spec: [
    "KVM API 5: KVM_EXIT_HLT",
    "KVM API 4.38: KVM_GET_MP_STATE (KVM_MP_STATE_HALTED)",
    "SDM 2A: HLT",
  ],
  mode: "protected",
  irqchip: "kernel",
  timeout: 100,
  guest: asm`
    cli
    mov byte [0xa000], 1
    hlt
    mov byte [0xa001], 1
    out 0x10, al
  `,
  trace: `
    timeout
    = mp-state 0x3
    = mem 0xa000 u8 [0x1 0x0]
  `,
});
