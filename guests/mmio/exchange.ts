import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; read: string; written: string; state: string };

const rows: Record<string, Row> = {
  "xchg-u8": {
    instruction: "xchg [rdi], dl",
    read: "u8 -> 0x9a",
    written: "u8 0xd8",
    state: "= rdx 0xd1d2d3d4d5d6d79a",
  },
  "xchg-u8-high": {
    instruction: "xchg [rdi], dh",
    read: "u8 -> 0x9a",
    written: "u8 0xd7",
    state: "= rdx 0xd1d2d3d4d5d69ad8",
  },
  "xchg-u16": {
    instruction: "xchg [rdi], dx",
    read: "u16 -> 0x9abc",
    written: "u16 0xd7d8",
    state: "= rdx 0xd1d2d3d4d5d69abc",
  },
  "xchg-u32": {
    instruction: "xchg [rdi], edx",
    read: "u32 -> 0x9abcdef1",
    written: "u32 0xd5d6d7d8",
    state: "= rdx 0x9abcdef1",
  },
  "xchg-u64": {
    instruction: "xchg [rdi], rdx",
    read: "u64 -> 0x9abcdef180a0c0e1",
    written: "u64 0xd1d2d3d4d5d6d7d8",
    state: "= rdx 0x9abcdef180a0c0e1",
  },
  // RDI addresses the operand with the value it had before.
  "xchg-address-register": {
    instruction: "xchg [rdi], rdi",
    read: "u64 -> 0x9abcdef180a0c0e1",
    written: "u64 0xd0000040",
    state: "= rdi 0x9abcdef180a0c0e1",
  },
  "xadd-u8": {
    instruction: "xadd [rdi], dl",
    read: "u8 -> 0x28",
    written: "u8 0x0",
    state: "= rdx 0xd1d2d3d4d5d6d728\n= rflags 0x57",
  },
  "xadd-u16": {
    instruction: "xadd [rdi], dx",
    read: "u16 -> 0x8001",
    written: "u16 0x57d9",
    state: "= rdx 0xd1d2d3d4d5d68001\n= rflags 0x803",
  },
  "xadd-u32": {
    instruction: "xadd [rdi], edx",
    read: "u32 -> 0x1",
    written: "u32 0xd5d6d7d9",
    state: "= rdx 0x1\n= rflags 0x82",
  },
  "xadd-u64": {
    instruction: "xadd [rdi], rdx",
    read: "u64 -> 0x8000000000000000",
    written: "u64 0x51d2d3d4d5d6d7d8",
    state: "= rdx 0x8000000000000000\n= rflags 0x807",
  },
};

/** XCHG and XADD read once, write once, and the register ends with what was read. */
export default defineCases("mmio/exchange", rows, ({ instruction, read, written, state }) => ({
  spec: ["SDM 2D: XCHG", "SDM 2D: XADD", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rdi: 0xd0000040n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio read 0xd0000040 ${read}
    mmio write 0xd0000040 ${written}
    hlt
    ${state}
  `,
}));
