import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

/** KVM_HC_KICK_CPU. */
const KICK = 5;
const rows = byEachCall({ halted: KICK });

/** KVM_HC_KICK_CPU wakes the vCPU with the APIC id in RCX out of HLT, with IF clear. */
export default defineCases("smp/kick", rows, ({ row, call }) => ({
  spec: ["KVM x86 hypercalls: KVM_HC_KICK_CPU (a1: APIC ID)", "SDM 2A: HLT"],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  requires: [call.requires, { cpuid: "KVM-PV-UNHALT" }],
  registers: { rcx: 1n, rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    mov eax, ${row}
    ${call.instruction}
    out 0x10, al
    vcpu1:
    mov dword [rsi + 0xf0], 0x1ff
    mov byte [0xa000], 1
    hlt
    out 0x11, al
  `,
  trace: `
    0: pio out 0x10 u8 0x0
    1: pio out 0x11 u8 0x0
    0: = rflags 0x46
    = mem 0xa000 u8 0x1
  `,
}));
