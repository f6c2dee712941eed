import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; trace: string }> = {
  in: {
    instruction: "db 0x48, 0xed", // in eax, dx with REX.W
    trace: `
      pio in 0x10 u32 -> 0x9f3b5d71
      hlt
      = rax 0x9f3b5d71
    `,
  },
  out: {
    instruction: "db 0x48, 0xef", // out dx, eax with REX.W
    trace: `
      pio out 0x10 u32 0x85a6c7e8
      hlt
    `,
  },
  ins: {
    instruction: "db 0x48, 0x6d", // insd with REX.W
    trace: `
      pio in 0x10 u32 -> 0x9f3b5d71
      hlt
      = mem 0xa010 u32 0x9f3b5d71
      = rdi 0xa014
    `,
  },
  outs: {
    instruction: "db 0x48, 0x6f", // outsd with REX.W
    trace: `
      pio out 0x10 u32 0x44332211
      hlt
      = rsi 0xb004
    `,
  },
};

/** There is no 64-bit port I/O: with REX.W the operand still has 32 bits. */
export default defineCases("pio/rex-w", rows, ({ instruction, trace }) => ({
  spec: ["SDM 2A: IN", "SDM 2A: INS", "SDM 2B: OUT", "SDM 2B: OUTS"],
  mode: "long",
  registers: { rax: 0x1122334485a6c7e8n, rdx: 0x10n, rdi: 0xa010n, rsi: 0xb000n },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ write }) =>
    write(0xb000, Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88)),
  trace,
}));
