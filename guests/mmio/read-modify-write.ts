import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = {
  instruction: string;
  /** RFLAGS before, without bit 1. */
  flags: bigint;
  /** Of RCX. */
  count?: bigint;
  /** Of RDX. */
  operand?: bigint;
  read: string;
  written: string;
  /** RFLAGS after; alternatives where a flag is undefined. */
  rflags: string;
};

const rows: Record<string, Row> = {
  "add-u8": {
    instruction: "add [rdi], dl",
    flags: ARITHMETIC_FLAGS,
    operand: 0xffffff15n,
    read: "u8 -> 0x70",
    written: "u8 0x85",
    rflags: "0x882",
  },
  "add-u32-imm8": {
    instruction: "add dword [rdi], -1",
    flags: 0n,
    read: "u32 -> 0x1",
    written: "u32 0x0",
    rflags: "0x57",
  },
  "adc-u32-carry": {
    instruction: "adc [rdi], edx",
    flags: 0x1n,
    read: "u32 -> 0xffffffff",
    written: "u32 0x0",
    rflags: "0x57",
  },
  "adc-u32-no-carry": {
    instruction: "adc [rdi], edx",
    flags: 0x8d4n,
    read: "u32 -> 0xffffffff",
    written: "u32 0xffffffff",
    rflags: "0x86",
  },
  "sbb-u16-carry": {
    instruction: "sbb [rdi], dx",
    flags: 0x1n,
    read: "u16 -> 0x8000",
    written: "u16 0x7fff",
    rflags: "0x816",
  },
  "sub-u64-imm8": {
    instruction: "sub qword [rdi], 1",
    flags: 0x840n,
    read: "u64 -> 0x0",
    written: "u64 0xffffffffffffffff",
    rflags: "0x97",
  },
  "sub-u64": {
    instruction: "sub [rdi], rdx",
    flags: 0x1n,
    operand: 0x123456789abcdef0n,
    read: "u64 -> 0x923456789abcdeff",
    written: "u64 0x800000000000000f",
    rflags: "0x86",
  },
  "and-u32-imm8": {
    instruction: "and dword [rdi], -16",
    flags: ARITHMETIC_FLAGS,
    read: "u32 -> 0x8899aabb",
    written: "u32 0x8899aab0",
    rflags: "0x82|0x92",
  },
  "and-u16": {
    instruction: "and [rdi], dx",
    flags: ARITHMETIC_FLAGS,
    operand: 0xffff0f0fn,
    read: "u16 -> 0xff13",
    written: "u16 0xf03",
    rflags: "0x6|0x16",
  },
  "or-u8": {
    instruction: "or [rdi], dl",
    flags: ARITHMETIC_FLAGS,
    read: "u8 -> 0x0",
    written: "u8 0x0",
    rflags: "0x46|0x56",
  },
  "or-u64": {
    instruction: "or [rdi], rdx",
    flags: 0x841n,
    operand: 0x8000000000000001n,
    read: "u64 -> 0x1020304050607008",
    written: "u64 0x9020304050607009",
    rflags: "0x86|0x96",
  },
  "xor-u64": {
    instruction: "xor [rdi], rdx",
    flags: ARITHMETIC_FLAGS,
    operand: 0x123456789abcdef0n,
    read: "u64 -> 0x123456789abcdef0",
    written: "u64 0x0",
    rflags: "0x46|0x56",
  },
  "inc-u8-keeps-no-carry": {
    instruction: "inc byte [rdi]",
    flags: 0x880n,
    read: "u8 -> 0xff",
    written: "u8 0x0",
    rflags: "0x56",
  },
  "inc-u64-keeps-carry": {
    instruction: "inc qword [rdi]",
    flags: 0x1n,
    read: "u64 -> 0x7fffffffffffffff",
    written: "u64 0x8000000000000000",
    rflags: "0x897",
  },
  "dec-u32-keeps-carry": {
    instruction: "dec dword [rdi]",
    flags: 0x1n,
    read: "u32 -> 0x80000000",
    written: "u32 0x7fffffff",
    rflags: "0x817",
  },
  "neg-u16": {
    instruction: "neg word [rdi]",
    flags: 0x840n,
    read: "u16 -> 0x1",
    written: "u16 0xffff",
    rflags: "0x97",
  },
  "neg-u64-zero": {
    instruction: "neg qword [rdi]",
    flags: 0x891n,
    read: "u64 -> 0x0",
    written: "u64 0x0",
    rflags: "0x46",
  },
  "not-u32-keeps-flags": {
    instruction: "not dword [rdi]",
    flags: ARITHMETIC_FLAGS,
    read: "u32 -> 0xff55aa",
    written: "u32 0xff00aa55",
    rflags: "0x8d7",
  },
  "shl-u8-1": {
    instruction: "shl byte [rdi], 1",
    flags: 0x850n,
    read: "u8 -> 0xc1",
    written: "u8 0x82",
    rflags: "0x87|0x97",
  },
  "shr-u32-cl": {
    instruction: "shr dword [rdi], cl",
    flags: 0xd0n,
    count: 0xffffff24n, // 4, as it is taken modulo 32
    read: "u32 -> 0x80000008",
    written: "u32 0x8000000",
    rflags: "0x7|0x17|0x807|0x817",
  },
  "sar-u16-1": {
    instruction: "sar word [rdi], 1",
    flags: 0x854n,
    read: "u16 -> 0x8003",
    written: "u16 0xc001",
    rflags: "0x83|0x93",
  },
  "shl-u64-imm8": {
    instruction: "shl qword [rdi], 33",
    flags: 0xd0n,
    read: "u64 -> 0x123456789abcdef0",
    written: "u64 0x3579bde000000000",
    rflags: "0x7|0x17|0x807|0x817",
  },
  "rol-u8-1": {
    instruction: "rol byte [rdi], 1",
    flags: 0n,
    read: "u8 -> 0x81",
    written: "u8 0x3",
    rflags: "0x803",
  },
  "ror-u16-1": {
    instruction: "ror word [rdi], 1",
    flags: 0xd4n,
    read: "u16 -> 0x8001",
    written: "u16 0xc000",
    rflags: "0xd7",
  },
  "rcr-u32-1": {
    instruction: "rcr dword [rdi], 1",
    flags: 0x1n,
    read: "u32 -> 0x2",
    written: "u32 0x80000001",
    rflags: "0x802",
  },
  "rcl-u64-1": {
    instruction: "rcl qword [rdi], 1",
    flags: 0x1n,
    read: "u64 -> 0x8000000000000004",
    written: "u64 0x9",
    rflags: "0x803",
  },
  "shld-u32-imm8": {
    instruction: "shld dword [rdi], edx, 8",
    flags: 0xc0n,
    operand: 0xaabbccddn,
    read: "u32 -> 0x11223344",
    written: "u32 0x223344aa",
    rflags: "0x7|0x17|0x807|0x817",
  },
  "shrd-u64-cl": {
    instruction: "shrd qword [rdi], rdx, cl",
    flags: 0x41n,
    count: 0x4cn, // 12, as it is taken modulo 64
    operand: 0xaabbccddeeff0123n,
    read: "u64 -> 0x1122334455667788",
    written: "u64 0x1231122334455667",
    rflags: "0x2|0x12|0x802|0x812",
  },
};

/**
 * An instruction that reads, changes and writes a device's register reads once, writes once, and
 * leaves the flags of its result.
 */
export default defineCases(
  "mmio/read-modify-write",
  rows,
  ({ instruction, flags, count = 0n, operand = 0n, read, written, rflags }) => ({
    spec: ["SDM 2: each instruction's operation and flags affected", "KVM API 5: KVM_EXIT_MMIO"],
    mode: "long",
    machine: { rflags: { set: flags } },
    registers: { rdi: 0xd0000040n, rcx: count, rdx: operand },
    guest: asm`
      ${instruction}
      hlt
    `,
    trace: `
      mmio read 0xd0000040 ${read}
      mmio write 0xd0000040 ${written}
      hlt
      = rflags ${rflags}
    `,
  }),
);
