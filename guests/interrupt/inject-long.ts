import { asm, defineCases } from "../../mod.ts";

const gates = {
  "interrupt-32": { vector: 0x20, type: "interrupt", flags: 0xcd7 },
  "trap-32": { vector: 0x20, type: "trap", flags: 0xed7 },
  "interrupt-128": { vector: 0x80, type: "interrupt", flags: 0xcd7 },
  "trap-255": { vector: 0xff, type: "trap", flags: 0xed7 },
} as const;

/**
 * In 64-bit mode KVM_INTERRUPT aligns RSP to 16 bytes, then pushes SS, RSP, RFLAGS, CS and RIP and
 * nothing else; an interrupt gate clears IF, a trap gate keeps it; IRETQ undoes it all.
 */
export default defineCases("interrupt/inject-long", gates, ({ vector, type, flags }) => ({
  spec: ["KVM API 4.16: KVM_INTERRUPT", "SDM 3A 6.14.2: 64-bit mode stack frame", "SDM 2A: IRETQ"],
  mode: "long",
  machine: { rflags: { set: 0xed5n } },
  registers: { rsp: 0x7ff3n, rax: 0x1122334455667788n },
  handlers: { [vector]: { at: "handler", type } },
  guest: asm`
    out 0x10, al                    ; the host enqueues the interrupt
    resumed:
    mov cl, 1
    hlt
    handler:
    mov rdx, rsp
    pushfq
    pop rbx
    iretq
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(vector);
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x88
    > interrupt 0x${vector.toString(16)}
    hlt
    = rbx 0x${flags.toString(16)}
    = rcx 0x1
    = rdx 0x7fc8
    = mem 0x7fc0 u64 [0x${flags.toString(16)} ${resumed} 0x28 0xed7 0x7ff3 0x30]
  `,
}));
