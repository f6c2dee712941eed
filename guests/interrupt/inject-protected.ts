import { asm, defineCases } from "../../mod.ts";

const gates = {
  "interrupt-32": { vector: 0x20, type: "interrupt", flags: 0xcd7 },
  "trap-32": { vector: 0x20, type: "trap", flags: 0xed7 },
  "interrupt-255": { vector: 0xff, type: "interrupt", flags: 0xcd7 },
  "trap-255": { vector: 0xff, type: "trap", flags: 0xed7 },
} as const;

/**
 * In protected mode KVM_INTERRUPT goes through the IDT: EFLAGS, CS and EIP are pushed with four
 * bytes each; an interrupt gate clears IF, a trap gate keeps it.
 */
export default defineCases("interrupt/inject-protected", gates, ({ vector, type, flags }) => ({
  spec: [
    "KVM API 4.16: KVM_INTERRUPT",
    "SDM 3A 6.12.1: exception- or interrupt-handler procedures",
  ],
  mode: "protected",
  machine: { rflags: { set: 0xed5n } },
  registers: { rsp: 0x7ff3n },
  handlers: { [vector]: { at: "handler", type } },
  guest: asm`
    out 0x10, al                    ; the host enqueues the interrupt
    resumed:
    mov cl, 1
    hlt
    handler:
    mov edx, esp
    pushfd
    pop ebx
    out 0x11, al
    hlt
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(vector);
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > interrupt 0x${vector.toString(16)}
    pio out 0x11 u8 0x0
    hlt
    = rflags 0x${flags.toString(16)}
    = rbx 0x${flags.toString(16)}
    = rdx 0x7fe7
    = rsp 0x7fe7
    = mem 0x7fe3 u32 [0x${flags.toString(16)} ${resumed} 0x8 0xed7]
  `,
}));
