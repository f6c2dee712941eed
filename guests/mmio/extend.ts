import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; answer: string; rdx: string };

const rows: Record<string, Row> = {
  "movzx-8-16": {
    instruction: "movzx dx, byte [rdi]",
    answer: "u8 -> 0x9a",
    rdx: "0x112233445566009a",
  },
  "movzx-8-32": { instruction: "movzx edx, byte [rdi]", answer: "u8 -> 0x9a", rdx: "0x9a" },
  "movzx-8-64": { instruction: "movzx rdx, byte [rdi]", answer: "u8 -> 0x9a", rdx: "0x9a" },
  "movzx-16-32": { instruction: "movzx edx, word [rdi]", answer: "u16 -> 0x9abc", rdx: "0x9abc" },
  "movzx-16-64": { instruction: "movzx rdx, word [rdi]", answer: "u16 -> 0x9abc", rdx: "0x9abc" },
  "movsx-8-16-negative": {
    instruction: "movsx dx, byte [rdi]",
    answer: "u8 -> 0x9a",
    rdx: "0x112233445566ff9a",
  },
  "movsx-8-16-positive": {
    instruction: "movsx dx, byte [rdi]",
    answer: "u8 -> 0x6a",
    rdx: "0x112233445566006a",
  },
  "movsx-8-32-negative": {
    instruction: "movsx edx, byte [rdi]",
    answer: "u8 -> 0x9a",
    rdx: "0xffffff9a",
  },
  "movsx-8-32-positive": {
    instruction: "movsx edx, byte [rdi]",
    answer: "u8 -> 0x6a",
    rdx: "0x6a",
  },
  "movsx-8-64-negative": {
    instruction: "movsx rdx, byte [rdi]",
    answer: "u8 -> 0x9a",
    rdx: "0xffffffffffffff9a",
  },
  "movsx-8-64-positive": {
    instruction: "movsx rdx, byte [rdi]",
    answer: "u8 -> 0x6a",
    rdx: "0x6a",
  },
  "movsx-16-32-negative": {
    instruction: "movsx edx, word [rdi]",
    answer: "u16 -> 0x9abc",
    rdx: "0xffff9abc",
  },
  "movsx-16-32-positive": {
    instruction: "movsx edx, word [rdi]",
    answer: "u16 -> 0x6abc",
    rdx: "0x6abc",
  },
  "movsx-16-64-negative": {
    instruction: "movsx rdx, word [rdi]",
    answer: "u16 -> 0x9abc",
    rdx: "0xffffffffffff9abc",
  },
  "movsx-16-64-positive": {
    instruction: "movsx rdx, word [rdi]",
    answer: "u16 -> 0x6abc",
    rdx: "0x6abc",
  },
  "movsxd-32-64-negative": {
    instruction: "movsxd rdx, dword [rdi]",
    answer: "u32 -> 0x9abcdef1",
    rdx: "0xffffffff9abcdef1",
  },
  "movsxd-32-64-positive": {
    instruction: "movsxd rdx, dword [rdi]",
    answer: "u32 -> 0x6abcdef1",
    rdx: "0x6abcdef1",
  },
};

/** MOVZX, MOVSX and MOVSXD read as many bytes as their source has and fill what lies above. */
export default defineCases("mmio/extend", rows, ({ instruction, answer, rdx }) => ({
  spec: ["SDM 2B: MOVZX", "SDM 2B: MOVSX/MOVSXD", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rdi: 0xd0000010n, rdx: 0x1122334455667788n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio read 0xd0000010 ${answer}
    hlt
    = rdx ${rdx}
  `,
}));
