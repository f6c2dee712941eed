import { asm, defineCases } from "../../mod.ts";

const rows = {
  u8: { instruction: "mov byte [rdi], 0x9a", written: "u8 0x9a" },
  u16: { instruction: "mov word [rdi], 0x9abc", written: "u16 0x9abc" },
  u32: { instruction: "mov dword [rdi], 0x9abcdef1", written: "u32 0x9abcdef1" },
  "u64-positive": { instruction: "mov qword [rdi], 0x6abcdef1", written: "u64 0x6abcdef1" },
  "u64-negative": {
    instruction: "mov qword [rdi], -0x65432110",
    written: "u64 0xffffffff9abcdef0",
  },
};

/** MOV stores an immediate in the operand's size; one of 32 bits is sign-extended to 64. */
export default defineCases("mmio/immediate", rows, ({ instruction, written }) => ({
  spec: ["SDM 2B: MOV", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: { rdi: 0xd0000018n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio write 0xd0000018 ${written}
    hlt
  `,
}));
