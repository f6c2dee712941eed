import { asm, type CaseDefinition, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; requires?: CaseDefinition["requires"]; written: string };

const rows: Record<string, Row> = {
  "setc-true": { instruction: "setc byte [rdi]", written: "u8 0x1" },
  "setnc-false": { instruction: "setnc byte [rdi]", written: "u8 0x0" },
  "setg-false": { instruction: "setg byte [rdi]", written: "u8 0x0" },
  "setle-true": { instruction: "setle byte [rdi]", written: "u8 0x1" },
  "movbe-u16": {
    instruction: "movbe [rdi], dx",
    requires: [{ cpuid: "MOVBE" }],
    written: "u16 0xd8d7",
  },
  "movbe-u32": {
    instruction: "movbe [rdi], edx",
    requires: [{ cpuid: "MOVBE" }],
    written: "u32 0xd8d7d6d5",
  },
  "movbe-u64": {
    instruction: "movbe [rdi], rdx",
    requires: [{ cpuid: "MOVBE" }],
    written: "u64 0xd8d7d6d5d4d3d2d1",
  },
  "movnti-u32": {
    instruction: "movnti [rdi], edx",
    requires: [{ cpuid: "SSE2" }],
    written: "u32 0xd5d6d7d8",
  },
  "movnti-u64": {
    instruction: "movnti [rdi], rdx",
    requires: [{ cpuid: "SSE2" }],
    written: "u64 0xd1d2d3d4d5d6d7d8",
  },
  // A selector goes to memory as 16 bits, whatever the operand size.
  "segment-register": { instruction: "mov [rdi], ds", written: "u16 0x30" },
  "segment-register-rex-w": { instruction: "db 0x48\nmov [rdi], ss", written: "u16 0x30" },
  "segment-register-code": { instruction: "mov [rdi], cs", written: "u16 0x28" },
  sldt: { instruction: "sldt [rdi]", written: "u16 0x0" },
  str: { instruction: "str [rdi]", written: "u16 0x68" },
  smsw: { instruction: "smsw [rdi]", written: "u16 0x31" },
};

/** An instruction that only stores writes once, in the size it has, and reads nothing. */
export default defineCases("mmio/store", rows, ({ instruction, requires, written }) => ({
  spec: ["SDM 2: each instruction's operation", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  requires,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rdi: 0xd0000040n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio write 0xd0000040 ${written}
    hlt
  `,
}));
