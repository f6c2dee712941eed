import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; trace: string }> = {
  insb: {
    instruction: "insb",
    trace: `
      pio in 0x1f0 u8 -> 0x9f
      mmio write 0xd0000010 u8 0x9f
      hlt
      = rdi 0xd0000011
    `,
  },
  insd: {
    instruction: "insd",
    trace: `
      pio in 0x1f0 u32 -> 0x9f3b5d71
      mmio write 0xd0000010 u32 0x9f3b5d71
      hlt
      = rdi 0xd0000014
    `,
  },
  outsb: {
    instruction: "outsb",
    trace: `
      mmio read 0xd0000020 u8 -> 0x9f
      pio out 0x1f0 u8 0x9f
      hlt
      = rsi 0xd0000021
    `,
  },
  outsd: {
    instruction: "outsd",
    trace: `
      mmio read 0xd0000020 u32 -> 0x9f3b5d71
      pio out 0x1f0 u32 0x9f3b5d71
      hlt
      = rsi 0xd0000024
    `,
  },
  "rep-outsw": {
    instruction: "rep outsw",
    trace: `
      mmio read 0xd0000020 u16 -> 0x8180
      pio out 0x1f0 u16 0x8180
      mmio read 0xd0000022 u16 -> 0x1213
      pio out 0x1f0 u16 0x1213
      hlt
      = rcx 0x0
      = rsi 0xd0000024
    `,
  },
};

/** String I/O between a port and an MMIO address is one access to each, the source first. */
export default defineCases("pio/string-mmio", rows, ({ instruction, trace }) => ({
  spec: [
    "KVM API 5: KVM_EXIT_IO",
    "KVM API 5: KVM_EXIT_MMIO",
    "SDM 2A: INS",
    "SDM 2B: OUTS",
  ],
  mode: "protected",
  registers: {
    rcx: instruction.startsWith("rep") ? 2n : 7n,
    rdx: 0x1f0n,
    rdi: 0xd0000010n,
    rsi: 0xd0000020n,
  },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace,
}));
