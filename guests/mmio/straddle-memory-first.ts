import { asm, defineCases, type ModeName } from "../../mod.ts";

type Row = { mode: ModeName; instruction: string; trace: string };

const rows: Record<string, Row> = {
  "write-u16": {
    mode: "long",
    instruction: "mov [rdi + 7], dx",
    trace: `
      mmio write 0x20000 u8 [0xd7]
      hlt
      = mem 0x1ffff u8 0xd8
    `,
  },
  "write-u64": {
    mode: "long",
    instruction: "mov [rdi + 5], rdx",
    trace: `
      mmio write 0x20000 u8 [0xd5 0xd4 0xd3 0xd2 0xd1]
      hlt
      = mem 0x1fffd u8 [0xd8 0xd7 0xd6]
    `,
  },
  "read-u32": {
    mode: "long",
    instruction: "mov edx, [rdi + 6]",
    trace: `
      mmio read 0x20000 u8 -> [0x9a 0xbc]
      hlt
      = rdx 0xbc9a8877
    `,
  },
  "read-u64": {
    mode: "long",
    instruction: "mov rdx, [rdi + 1]",
    trace: `
      mmio read 0x20000 u8 -> [0x9a]
      hlt
      = rdx 0x9a88776655443322
    `,
  },
  "add-u32": {
    mode: "long",
    instruction: "add [rdi + 5], edx",
    trace: `
      mmio read 0x20000 u8 -> [0x11]
      mmio write 0x20000 u8 [0xe7]
      hlt
      = mem 0x1fffd u8 [0x3e 0x4f 0x5f]
      = rflags 0x82
    `,
  },
  "xchg-u32": {
    mode: "long",
    instruction: "xchg [rdi + 6], edx",
    trace: `
      mmio read 0x20000 u8 -> [0x9a 0xbc]
      mmio write 0x20000 u8 [0xd6 0xd5]
      hlt
      = mem 0x1fffe u8 [0xd8 0xd7]
      = rdx 0xbc9a8877
    `,
  },
  "protected-write-u32": {
    mode: "protected",
    instruction: "mov [edi + 7], edx",
    trace: `
      mmio write 0x20000 u8 [0xd7 0xd6 0xd5]
      hlt
      = mem 0x1ffff u8 0xd8
    `,
  },
  "protected-read-u32": {
    mode: "protected",
    instruction: "mov edx, [edi + 5]",
    trace: `
      mmio read 0x20000 u8 -> [0x9a]
      hlt
      = rdx 0x9a887766
    `,
  },
};

/** An access that begins in memory and ends where no slot is: the bytes of each go where they belong. */
export default defineCases("mmio/straddle-memory-first", rows, ({ mode, instruction, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode,
  registers: {
    rdi: 0x1fff8n,
    rdx: mode === "long" ? 0xd1d2d3d4d5d6d7d8n : 0xd5d6d7d8n,
  },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ write }) =>
    write(0x1fff8, Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88)),
  trace,
}));
