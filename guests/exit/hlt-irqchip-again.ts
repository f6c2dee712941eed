import { asm, defineCase } from "../../mod.ts";

/** What woke a vCPU out of one HLT does not wake it out of the next. */
export default defineCase({
  id: "exit/hlt-irqchip-again",
  spec: [
    "KVM API 4.39: KVM_SET_MP_STATE (KVM_MP_STATE_HALTED)",
    "KVM API 4.64: KVM_NMI",
    "SDM 2A: HLT",
  ],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_MP_STATE", "KVM_CAP_USER_NMI"],
  timeout: 100,
  handlers: { 2: "nmi" },
  guest: asm`
    out 0x10, al
    behind:
    mov cl, bl
    hlt
    mov dl, 1
    out 0x11, al
    nmi:
    inc bx
    iret
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.nmi();
    vcpu.setMpState(3);
  },
  trace: ({ behind }) => `
    pio out 0x10 u8 0x0
    > nmi
    > set-mp-state 0x3
    timeout
    = rbx 0x1
    = rcx 0x1
    = rflags *
    = mp-state 0x3
    = mem 0x7ffa u16 [${behind} 0x0 0x2]
  `,
});
