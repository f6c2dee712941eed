import { asm, defineCases } from "../../mod.ts";

type Row = { instruction: string; trace: string };

const rows: Record<string, Row> = {
  "write-u16": {
    instruction: "mov [rdi + 0xfff], dx",
    trace: `
      mmio write 0xd0000fff u8 [0xd8 0xd7]
      hlt
    `,
  },
  "write-u32": {
    instruction: "mov [rdi + 0xffd], edx",
    trace: `
      mmio write 0xd0000ffd u8 [0xd8 0xd7 0xd6 0xd5]
      hlt
    `,
  },
  "write-u64": {
    instruction: "mov [rdi + 0xff9], rdx",
    trace: `
      mmio write 0xd0000ff9 u8 [0xd8 0xd7 0xd6 0xd5 0xd4 0xd3 0xd2 0xd1]
      hlt
    `,
  },
  "read-u16": {
    instruction: "mov dx, [rdi + 0xfff]",
    trace: `
      mmio read 0xd0000fff u8 -> [0x9a 0xbc]
      hlt
      = rdx 0xd1d2d3d4d5d6bc9a
    `,
  },
  "read-u32": {
    instruction: "mov edx, [rdi + 0xffe]",
    trace: `
      mmio read 0xd0000ffe u8 -> [0x9a 0xbc 0xde 0xf1]
      hlt
      = rdx 0xf1debc9a
    `,
  },
  "read-u64": {
    instruction: "mov rdx, [rdi + 0xfff]",
    trace: `
      mmio read 0xd0000fff u8 -> [0x11 0x22 0x33 0x44 0x55 0x66 0x77 0x88]
      hlt
      = rdx 0x8877665544332211
    `,
  },
  "movsx-u16": {
    instruction: "movsx rdx, word [rdi + 0xfff]",
    trace: `
      mmio read 0xd0000fff u8 -> [0x9a 0xbc]
      hlt
      = rdx 0xffffffffffffbc9a
    `,
  },
  "add-u32": {
    instruction: "add [rdi + 0xffd], edx",
    trace: `
      mmio read 0xd0000ffd u8 -> [0x28 0x28 0x29 0x2a]
      mmio write 0xd0000ffd u8 [0x0 0x0 0x0 0x0]
      hlt
      = rflags 0x57
    `,
  },
  "movs-u32": {
    instruction: "lea rsi, [rdi + 0xffe]\nlea rdi, [rdi + 0x2fff]\nmovsd",
    trace: `
      mmio read 0xd0000ffe u8 -> [0x11 0x22 0x33 0x44]
      mmio write 0xd0002fff u8 [0x11 0x22 0x33 0x44]
      hlt
      = rsi 0xd0001002
      = rdi 0xd0003003
    `,
  },
};

/** An access over two pages without a slot may come in pieces, but every byte comes once, in order. */
export default defineCases("mmio/two-pages", rows, ({ instruction, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "SDM 3A 8.1.1: accesses that are not guaranteed atomic"],
  mode: "long",
  registers: { rdi: 0xd0000000n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace,
}));
