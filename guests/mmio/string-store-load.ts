import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS, DIRECTION_FLAG } from "./_machine.ts";

type Row = { instruction: string; flags?: bigint; rcx: bigint; trace: string };

const rows: Record<string, Row> = {
  "stos-u8-rep": {
    instruction: "rep stosb",
    rcx: 3n,
    trace: `
      mmio write 0xd0000040 u8 0xa8
      mmio write 0xd0000041 u8 0xa8
      mmio write 0xd0000042 u8 0xa8
      hlt
      = rdi 0xd0000043
      = rcx 0x0
    `,
  },
  "stos-u16": {
    instruction: "stosw",
    rcx: 3n,
    trace: `
      mmio write 0xd0000040 u16 0xa7a8
      hlt
      = rdi 0xd0000042
    `,
  },
  "stos-u32-rep-down": {
    instruction: "rep stosd",
    flags: DIRECTION_FLAG,
    rcx: 2n,
    trace: `
      mmio write 0xd0000040 u32 0xa5a6a7a8
      mmio write 0xd000003c u32 0xa5a6a7a8
      hlt
      = rdi 0xd0000038
      = rcx 0x0
    `,
  },
  "stos-u64-rep": {
    instruction: "rep stosq",
    rcx: 2n,
    trace: `
      mmio write 0xd0000040 u64 0xa1a2a3a4a5a6a7a8
      mmio write 0xd0000048 u64 0xa1a2a3a4a5a6a7a8
      hlt
      = rdi 0xd0000050
      = rcx 0x0
    `,
  },
  "stos-rep-zero": { instruction: "rep stosd", rcx: 0n, trace: "hlt" },
  "lods-u8-rep": {
    instruction: "rep lodsb",
    rcx: 3n,
    trace: `
      mmio read 0xd0000080 u8 -> 0x11
      mmio read 0xd0000081 u8 -> 0x22
      mmio read 0xd0000082 u8 -> 0x33
      hlt
      = rsi 0xd0000083
      = rcx 0x0
      = rax 0xa1a2a3a4a5a6a733
    `,
  },
  "lods-u16-down": {
    instruction: "lodsw",
    flags: DIRECTION_FLAG,
    rcx: 3n,
    trace: `
      mmio read 0xd0000080 u16 -> 0x2211
      hlt
      = rsi 0xd000007e
      = rax 0xa1a2a3a4a5a62211
    `,
  },
  "lods-u32": {
    instruction: "lodsd",
    rcx: 3n,
    trace: `
      mmio read 0xd0000080 u32 -> 0x84332211
      hlt
      = rsi 0xd0000084
      = rax 0x84332211
    `,
  },
  "lods-u64": {
    instruction: "lodsq",
    rcx: 3n,
    trace: `
      mmio read 0xd0000080 u64 -> 0x8877665544332211
      hlt
      = rsi 0xd0000088
      = rax 0x8877665544332211
    `,
  },
};

/** STOS and LODS make one access of their size an iteration, and change no flag. */
export default defineCases(
  "mmio/string-store-load",
  rows,
  ({ instruction, flags = 0n, rcx, trace }) => ({
    spec: ["SDM 2B: STOS", "SDM 2B: LODS", "SDM 2B: REP", "KVM API 5: KVM_EXIT_MMIO"],
    mode: "long",
    machine: { rflags: { set: ARITHMETIC_FLAGS | flags } },
    registers: { rsi: 0xd0000080n, rdi: 0xd0000040n, rcx, rax: 0xa1a2a3a4a5a6a7a8n },
    guest: asm`
      ${instruction}
      hlt
    `,
    trace,
  }),
);
