import { asm, defineCases } from "../../mod.ts";
import { accumulator, ARITHMETIC_FLAGS, type PortMode, portRegister } from "./_machine.ts";

const rows: Record<string, { mode: PortMode; instruction: string; exit: string; rax: string }> = {
  "real-imm8-8": {
    mode: "real",
    instruction: "in al, 0xfe",
    exit: "0xfe u8 -> 0x9f",
    rax: "0x85a6c79f",
  },
  "real-imm8-16": {
    mode: "real",
    instruction: "in ax, 0xfe",
    exit: "0xfe u16 -> 0x9f3b",
    rax: "0x85a69f3b",
  },
  "real-imm8-32": {
    mode: "real",
    instruction: "in eax, 0xfe",
    exit: "0xfe u32 -> 0x9f3b5d71",
    rax: "0x9f3b5d71",
  },
  "real-dx-8": {
    mode: "real",
    instruction: "in al, dx",
    exit: "0xfedc u8 -> 0x9f",
    rax: "0x85a6c79f",
  },
  "real-dx-16": {
    mode: "real",
    instruction: "in ax, dx",
    exit: "0xfedc u16 -> 0x9f3b",
    rax: "0x85a69f3b",
  },
  "real-dx-32": {
    mode: "real",
    instruction: "in eax, dx",
    exit: "0xfedc u32 -> 0x9f3b5d71",
    rax: "0x9f3b5d71",
  },
  "protected-imm8-8": {
    mode: "protected",
    instruction: "in al, 0xfe",
    exit: "0xfe u8 -> 0x9f",
    rax: "0x85a6c79f",
  },
  "protected-imm8-16": {
    mode: "protected",
    instruction: "in ax, 0xfe",
    exit: "0xfe u16 -> 0x9f3b",
    rax: "0x85a69f3b",
  },
  "protected-imm8-32": {
    mode: "protected",
    instruction: "in eax, 0xfe",
    exit: "0xfe u32 -> 0x9f3b5d71",
    rax: "0x9f3b5d71",
  },
  "protected-dx-8": {
    mode: "protected",
    instruction: "in al, dx",
    exit: "0xfedc u8 -> 0x9f",
    rax: "0x85a6c79f",
  },
  "protected-dx-16": {
    mode: "protected",
    instruction: "in ax, dx",
    exit: "0xfedc u16 -> 0x9f3b",
    rax: "0x85a69f3b",
  },
  "protected-dx-32": {
    mode: "protected",
    instruction: "in eax, dx",
    exit: "0xfedc u32 -> 0x9f3b5d71",
    rax: "0x9f3b5d71",
  },
  "long-imm8-8": {
    mode: "long",
    instruction: "in al, 0xfe",
    exit: "0xfe u8 -> 0x9f",
    rax: "0x1122334485a6c79f",
  },
  "long-imm8-16": {
    mode: "long",
    instruction: "in ax, 0xfe",
    exit: "0xfe u16 -> 0x9f3b",
    rax: "0x1122334485a69f3b",
  },
  "long-imm8-32": {
    mode: "long",
    instruction: "in eax, 0xfe",
    exit: "0xfe u32 -> 0x9f3b5d71",
    rax: "0x9f3b5d71",
  },
  "long-dx-8": {
    mode: "long",
    instruction: "in al, dx",
    exit: "0xfedc u8 -> 0x9f",
    rax: "0x1122334485a6c79f",
  },
  "long-dx-16": {
    mode: "long",
    instruction: "in ax, dx",
    exit: "0xfedc u16 -> 0x9f3b",
    rax: "0x1122334485a69f3b",
  },
  "long-dx-32": {
    mode: "long",
    instruction: "in eax, dx",
    exit: "0xfedc u32 -> 0x9f3b5d71",
    rax: "0x9f3b5d71",
  },
};

/**
 * IN replaces AL, AX or EAX by what the host answered: the rest of RAX stays, except that a result of
 * 32 bits is zero-extended in 64-bit mode (SDM 1 3.4.1.1). No flag and no other register changes.
 */
export default defineCases("pio/in", rows, ({ mode, instruction, exit, rax }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: IN", "SDM 1 3.4.1.1: zero-extension to 64 bits"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rax: accumulator[mode], rdx: portRegister(mode, 0xfedc) },
  guest: asm`
    ${instruction}
    hlt
    halted:
  `,
  trace: ({ halted }) => `
    pio in ${exit}
    hlt
    = rax ${rax}
    = rip ${halted}
  `,
}));
