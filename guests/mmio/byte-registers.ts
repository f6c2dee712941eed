import { asm, defineCases } from "../../mod.ts";

const rows = {
  "write-ah": { instruction: "mov [rdi], ah", exit: "write 0xd0000010 u8 0xa2", state: "" },
  "write-ch": { instruction: "mov [rdi], ch", exit: "write 0xd0000010 u8 0xc2", state: "" },
  "write-dh": { instruction: "mov [rdi], dh", exit: "write 0xd0000010 u8 0xd2", state: "" },
  "write-bh": { instruction: "mov [rdi], bh", exit: "write 0xd0000010 u8 0xb2", state: "" },
  "write-bpl": { instruction: "mov [rdi], bpl", exit: "write 0xd0000010 u8 0xe1", state: "" },
  "write-sil": { instruction: "mov [rdi], sil", exit: "write 0xd0000010 u8 0xf1", state: "" },
  "write-dil": { instruction: "mov [rdi], dil", exit: "write 0xd0000010 u8 0x10", state: "" },
  "write-r15b": { instruction: "mov [rdi], r15b", exit: "write 0xd0000010 u8 0xf", state: "" },
  "read-ah": {
    instruction: "mov ah, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= rax 0xa8a7a6a5a4a377a1",
  },
  "read-ch": {
    instruction: "mov ch, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= rcx 0xc8c7c6c5c4c377c1",
  },
  "read-dh": {
    instruction: "mov dh, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= rdx 0xd8d7d6d5d4d377d1",
  },
  "read-bh": {
    instruction: "mov bh, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= rbx 0xb8b7b6b5b4b377b1",
  },
  "read-bpl": {
    instruction: "mov bpl, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= rbp 0xe8e7e6e5e4e3e277",
  },
  "read-sil": {
    instruction: "mov sil, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= rsi 0xf8f7f6f5f4f3f277",
  },
  "read-r12b": {
    instruction: "mov r12b, [rdi]",
    exit: "read 0xd0000010 u8 -> 0x77",
    state: "= r12 0xc0c0c0c0c0c0c77",
  },
};

/** AH, CH, DH and BH are reached without a REX prefix, SPL to DIL and R8B to R15B with one. */
export default defineCases("mmio/byte-registers", rows, ({ instruction, exit, state }) => ({
  spec: ["SDM 1 3.4.1.1: byte registers and REX", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: {
    rax: 0xa8a7a6a5a4a3a2a1n,
    rbx: 0xb8b7b6b5b4b3b2b1n,
    rcx: 0xc8c7c6c5c4c3c2c1n,
    rdx: 0xd8d7d6d5d4d3d2d1n,
    rbp: 0xe8e7e6e5e4e3e2e1n,
    rsi: 0xf8f7f6f5f4f3f2f1n,
    rdi: 0xd0000010n,
  },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio ${exit}
    hlt
    ${state}
  `,
}));
