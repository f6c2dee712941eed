import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; flags: bigint; read: string; rflags: string };

const rows: Record<string, Row> = {
  "cmp-u8-imm8": {
    instruction: "cmp byte [rdi], 0x80",
    flags: 0x54n,
    read: "u8 -> 0x7f",
    rflags: "0x887",
  },
  "cmp-u16-imm8": {
    instruction: "cmp word [rdi], -1",
    flags: 0x8d1n,
    read: "u16 -> 0xffff",
    rflags: "0x46",
  },
  "cmp-u32-register": {
    instruction: "cmp [rdi], edx",
    flags: 0n,
    read: "u32 -> 0x10000001",
    rflags: "0x97",
  },
  "cmp-register-u32": {
    instruction: "cmp edx, [rdi]",
    flags: ARITHMETIC_FLAGS,
    read: "u32 -> 0x10000001",
    rflags: "0x2",
  },
  "cmp-u64-imm32": {
    instruction: "cmp qword [rdi], -0x80000000",
    flags: ARITHMETIC_FLAGS,
    read: "u64 -> 0xffffffff80000000",
    rflags: "0x46",
  },
  "test-u8-imm8": {
    instruction: "test byte [rdi], 0x81",
    flags: 0x841n,
    read: "u8 -> 0xff",
    rflags: "0x86|0x96",
  },
  "test-u32-register": {
    instruction: "test [rdi], edx",
    flags: 0x881n,
    read: "u32 -> 0xeffffffd",
    rflags: "0x46|0x56",
  },
  "test-u64-imm32": {
    instruction: "test qword [rdi], -0x80000000",
    flags: 0x841n,
    read: "u64 -> 0x800000007fffffff",
    rflags: "0x86|0x96",
  },
};

/** CMP and TEST read a device's register once and write nothing. */
export default defineCases("mmio/compare", rows, ({ instruction, flags, read, rflags }) => ({
  spec: ["SDM 2A: CMP", "SDM 2B: TEST", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: flags } },
  registers: { rdi: 0xd0000040n, rdx: 0x10000002n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio read 0xd0000040 ${read}
    hlt
    = rflags ${rflags}
  `,
}));
