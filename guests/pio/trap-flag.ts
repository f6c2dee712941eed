import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; trace: string }> = {
  out: {
    instruction: "out 0x10, al",
    trace: `
      pio out 0x10 u8 0xe8
      hlt
    `,
  },
  in: {
    instruction: "in ax, dx",
    trace: `
      pio in 0x1f0 u16 -> 0x9f3b
      hlt
      = rax 0x85a69f3b
    `,
  },
  insb: {
    instruction: "insb",
    trace: `
      pio in 0x1f0 u8 -> 0x9f
      hlt
      = mem 0xa000 u8 0x9f
      = rdi 0xa001
    `,
  },
  outsb: {
    instruction: "outsb",
    trace: `
      pio out 0x1f0 u8 0x81
      hlt
      = rsi 0xb001
    `,
  },
};

/**
 * With TF set the trap comes after an I/O instruction that exited as after any other: once, with the
 * access complete and the address of the next instruction on the stack.
 */
export default defineCases("pio/trap-flag", rows, ({ instruction, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 3B 18.3.1.4: single-step exception condition"],
  mode: "real",
  handlers: { 1: "debug_exception" },
  registers: { rax: 0x85a6c7e8n, rdx: 0x1f0n, rsi: 0xb000n, rdi: 0xa000n },
  guest: asm`
    push 0x102
    popf
    ${instruction}
    next:
    inc ebp
    hlt
    debug_exception:
    inc ebx
    hlt
  `,
  drive: ({ write }) => write(0xb000, Uint8Array.of(0x81)),
  trace: ({ next }) => `
    ${trace}
    = rbx 0x1
    = rflags 0x2
    = dr6 0xffff4ff0
    = rsp 0x7ffa
    = mem 0x7ffa u16 [${next} 0x0 0x102]
  `,
}));
