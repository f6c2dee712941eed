import { asm, type CaseDefinition, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = {
  instruction: string;
  flags?: bigint;
  requires?: CaseDefinition["requires"];
  read: string;
  state: string;
};

const rows: Record<string, Row> = {
  "add-u32": {
    instruction: "add edx, [rdi]",
    read: "u32 -> 0x2a292828",
    state: "= rdx 0x0\n= rflags 0x57",
  },
  "sub-u8": {
    instruction: "sub dl, [rdi]",
    read: "u8 -> 0xd9",
    state: "= rdx 0xd1d2d3d4d5d6d7ff\n= rflags 0x97",
  },
  "adc-u64": {
    instruction: "adc rdx, [rdi]",
    flags: 1n,
    read: "u64 -> 0x2e2d2c2b2a292827",
    state: "= rdx 0x0\n= rflags 0x57",
  },
  "and-u16": {
    instruction: "and dx, [rdi]",
    flags: 0x841n,
    read: "u16 -> 0x8001",
    state: "= rdx 0xd1d2d3d4d5d68000\n= rflags 0x86|0x96",
  },
  "xor-u32": {
    instruction: "xor edx, [rdi]",
    flags: 0x801n,
    read: "u32 -> 0xd5d6d7d8",
    state: "= rdx 0x0\n= rflags 0x46|0x56",
  },
  "imul-u32": {
    instruction: "imul edx, [rdi]",
    read: "u32 -> 0x2",
    state: "= rdx 0xabadafb0\n= rflags *",
  },
  "imul-three-operands": {
    instruction: "imul rcx, [rdi], -3",
    read: "u64 -> 0x1000000000000001",
    state: "= rcx 0xcffffffffffffffd\n= rflags *",
  },
  "mul-u32": {
    instruction: "mul dword [rdi]",
    read: "u32 -> 0x10000001",
    state: "= rax 0x5868788\n= rdx 0x8586879\n= rflags *",
  },
  "mul-u8": {
    instruction: "mul byte [rdi]",
    read: "u8 -> 0xff",
    state: "= rax 0x8182838485868778\n= rflags *",
  },
  "imul-u64": {
    instruction: "imul qword [rdi]",
    read: "u64 -> 0xffffffffffffffff",
    state: "= rax 0x7e7d7c7b7a797878\n= rdx 0x0\n= rflags *",
  },
  "div-u16": {
    instruction: "mov edx, 0x12\ndiv word [rdi]",
    read: "u16 -> 0x100",
    state: "= rax 0x8182838485861287\n= rdx 0x88\n= rflags *",
  },
  "idiv-u32": {
    instruction: "mov eax, -7\ncdq\nidiv dword [rdi]",
    read: "u32 -> 0x2",
    state: "= rax 0xfffffffd\n= rdx 0xffffffff\n= rflags *",
  },
  "cmov-taken": {
    instruction: "cmovc edx, [rdi]",
    flags: 1n,
    read: "u32 -> 0x9abcdef1",
    state: "= rdx 0x9abcdef1",
  },
  // The source is read, and the upper half cleared, whatever the condition.
  "cmov-not-taken": {
    instruction: "cmovc edx, [rdi]",
    flags: 0x8d4n,
    read: "u32 -> 0x9abcdef1",
    state: "= rdx 0xd5d6d7d8",
  },
  "cmov-not-taken-u64": {
    instruction: "cmovz rdx, [rdi]",
    flags: 0x895n,
    read: "u64 -> 0x9abcdef180a0c0e1",
    state: "",
  },
  "bsf-u32": {
    instruction: "bsf edx, [rdi]",
    read: "u32 -> 0x80010000",
    state: "= rdx 0x10\n= rflags *",
  },
  "bsr-u64": {
    instruction: "bsr rdx, [rdi]",
    read: "u64 -> 0x4000000000000001",
    state: "= rdx 0x3e\n= rflags *",
  },
  "movbe-u16": {
    instruction: "movbe dx, [rdi]",
    requires: [{ cpuid: "MOVBE" }],
    flags: ARITHMETIC_FLAGS,
    read: "u16 -> 0x1122",
    state: "= rdx 0xd1d2d3d4d5d62211",
  },
  "movbe-u32": {
    instruction: "movbe edx, [rdi]",
    requires: [{ cpuid: "MOVBE" }],
    flags: ARITHMETIC_FLAGS,
    read: "u32 -> 0x11223344",
    state: "= rdx 0x44332211",
  },
  "movbe-u64": {
    instruction: "movbe rdx, [rdi]",
    requires: [{ cpuid: "MOVBE" }],
    flags: ARITHMETIC_FLAGS,
    read: "u64 -> 0x1122334455667788",
    state: "= rdx 0x8877665544332211",
  },
};

/** An instruction whose source is a device's register reads it once, in the size it has. */
export default defineCases(
  "mmio/source-operand",
  rows,
  ({ instruction, flags = 0n, requires, read, state }) => ({
    spec: ["SDM 2: each instruction's operation and flags affected", "KVM API 5: KVM_EXIT_MMIO"],
    mode: "long",
    requires,
    machine: { rflags: { set: flags } },
    registers: { rdi: 0xd0000040n, rax: 0x8182838485868788n, rdx: 0xd1d2d3d4d5d6d7d8n },
    guest: asm`
      ${instruction}
      hlt
    `,
    trace: `
      mmio read 0xd0000040 ${read}
      hlt
      ${state}
    `,
  }),
);
