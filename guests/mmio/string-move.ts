import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS, DIRECTION_FLAG } from "./_machine.ts";

type Row = {
  instruction: string;
  flags?: bigint;
  rsi: bigint;
  rdi: bigint;
  rcx: bigint;
  trace: string;
};

/** What lies at 0xb000 before. */
const source = Uint8Array.from({ length: 16 }, (_, index) => 0x81 + index);

const rows: Record<string, Row> = {
  "out-u8": {
    instruction: "movsb",
    rsi: 0xb001n,
    rdi: 0xd0000040n,
    rcx: 3n,
    trace: `
      mmio write 0xd0000040 u8 0x82
      hlt
      = rsi 0xb002
      = rdi 0xd0000041
    `,
  },
  "out-u8-rep": {
    instruction: "rep movsb",
    rsi: 0xb000n,
    rdi: 0xd0000ffen,
    rcx: 3n,
    trace: `
      mmio write 0xd0000ffe u8 0x81
      mmio write 0xd0000fff u8 0x82
      mmio write 0xd0001000 u8 0x83
      hlt
      = rsi 0xb003
      = rdi 0xd0001001
      = rcx 0x0
    `,
  },
  "out-u16-rep-down": {
    instruction: "rep movsw",
    flags: DIRECTION_FLAG,
    rsi: 0xb002n,
    rdi: 0xd0000040n,
    rcx: 2n,
    trace: `
      mmio write 0xd0000040 u16 0x8483
      mmio write 0xd000003e u16 0x8281
      hlt
      = rsi 0xaffe
      = rdi 0xd000003c
      = rcx 0x0
    `,
  },
  "out-u32-rep": {
    instruction: "rep movsd",
    rsi: 0xb000n,
    rdi: 0xd0000040n,
    rcx: 2n,
    trace: `
      mmio write 0xd0000040 u32 0x84838281
      mmio write 0xd0000044 u32 0x88878685
      hlt
      = rsi 0xb008
      = rdi 0xd0000048
      = rcx 0x0
    `,
  },
  "out-u64-rep": {
    instruction: "rep movsq",
    rsi: 0xb000n,
    rdi: 0xd0000040n,
    rcx: 2n,
    trace: `
      mmio write 0xd0000040 u64 0x8887868584838281
      mmio write 0xd0000048 u64 0x908f8e8d8c8b8a89
      hlt
      = rsi 0xb010
      = rdi 0xd0000050
      = rcx 0x0
    `,
  },
  "in-u8-rep": {
    instruction: "rep movsb",
    rsi: 0xd0000fffn,
    rdi: 0xc001n,
    rcx: 2n,
    trace: `
      mmio read 0xd0000fff u8 -> 0x11
      mmio read 0xd0001000 u8 -> 0x22
      hlt
      = rsi 0xd0001001
      = rdi 0xc003
      = rcx 0x0
      = mem 0xc001 u8 [0x11 0x22]
    `,
  },
  "in-u16": {
    instruction: "movsw",
    rsi: 0xd0000040n,
    rdi: 0xc001n,
    rcx: 2n,
    trace: `
      mmio read 0xd0000040 u16 -> 0x2211
      hlt
      = rsi 0xd0000042
      = rdi 0xc003
      = mem 0xc001 u16 0x2211
    `,
  },
  "in-u32-rep-down": {
    instruction: "rep movsd",
    flags: DIRECTION_FLAG,
    rsi: 0xd0000044n,
    rdi: 0xc004n,
    rcx: 2n,
    trace: `
      mmio read 0xd0000044 u32 -> 0x44332211
      mmio read 0xd0000040 u32 -> 0x88776655
      hlt
      = rsi 0xd000003c
      = rdi 0xbffc
      = rcx 0x0
      = mem 0xc000 u32 [0x88776655 0x44332211]
    `,
  },
  "in-u64": {
    instruction: "movsq",
    rsi: 0xd0000040n,
    rdi: 0xc000n,
    rcx: 0n,
    trace: `
      mmio read 0xd0000040 u64 -> 0x8877665544332211
      hlt
      = rsi 0xd0000048
      = rdi 0xc008
      = mem 0xc000 u64 0x8877665544332211
    `,
  },
  "through-u16-rep": {
    instruction: "rep movsw",
    rsi: 0xd0000040n,
    rdi: 0xe0000080n,
    rcx: 2n,
    trace: `
      mmio read 0xd0000040 u16 -> 0x2211
      mmio write 0xe0000080 u16 0x2211
      mmio read 0xd0000042 u16 -> 0x4433
      mmio write 0xe0000082 u16 0x4433
      hlt
      = rsi 0xd0000044
      = rdi 0xe0000084
      = rcx 0x0
    `,
  },
  // Source and destination at the same offset of different pages.
  "through-u32-same-offset": {
    instruction: "movsd",
    rsi: 0xd0000040n,
    rdi: 0xe0000040n,
    rcx: 7n,
    trace: `
      mmio read 0xd0000040 u32 -> 0x44332211
      mmio write 0xe0000040 u32 0x44332211
      hlt
      = rsi 0xd0000044
      = rdi 0xe0000044
    `,
  },
  "out-u32-same-offset": {
    instruction: "movsd",
    rsi: 0xb004n,
    rdi: 0xd0000004n,
    rcx: 7n,
    trace: `
      mmio write 0xd0000004 u32 0x88878685
      hlt
      = rsi 0xb008
      = rdi 0xd0000008
    `,
  },
  "in-u32-same-offset": {
    instruction: "movsd",
    rsi: 0xd0000008n,
    rdi: 0xc008n,
    rcx: 7n,
    trace: `
      mmio read 0xd0000008 u32 -> 0x44332211
      hlt
      = rsi 0xd000000c
      = rdi 0xc00c
      = mem 0xc008 u32 0x44332211
    `,
  },
  "rep-zero": {
    instruction: "rep movsb",
    rsi: 0xd0000040n,
    rdi: 0xe0000040n,
    rcx: 0n,
    trace: "hlt",
  },
  // ECX counts, and what ESI, EDI and ECX end with clears the upper halves.
  "rep-address-size-32": {
    instruction: "a32 rep movsb",
    rsi: 0x777777770000b000n,
    rdi: 0x88888888d0000040n,
    rcx: 0x9999999900000002n,
    trace: `
      mmio write 0xd0000040 u8 0x81
      mmio write 0xd0000041 u8 0x82
      hlt
      = rsi 0xb002
      = rdi 0xd0000042
      = rcx 0x0
    `,
  },
};

/**
 * MOVS between memory and devices, either way or both, makes one access of its size an iteration;
 * DF says which way RSI and RDI go.
 */
export default defineCases("mmio/string-move", rows, ({ instruction, flags = 0n, ...row }) => ({
  spec: ["SDM 2B: MOVS", "SDM 2B: REP", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS | flags } },
  registers: { rsi: row.rsi, rdi: row.rdi, rcx: row.rcx },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ write }) => write(0xb000, source),
  trace: row.trace,
}));
