import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = {
  mode: ModeName;
  instruction: string;
  exit: (labels: { behind: string; target: string }) => string;
  rsp: string;
};

const rows: Record<string, Row> = {
  "long-call": {
    mode: "long",
    instruction: "call target",
    exit: ({ behind }) => `write 0xd00000f8 u64 ${behind}`,
    rsp: "0xd00000f8",
  },
  "long-ret": {
    mode: "long",
    instruction: "ret",
    exit: ({ target }) => `read 0xd0000100 u64 -> ${target}`,
    rsp: "0xd0000108",
  },
  "long-ret-imm16": {
    mode: "long",
    instruction: "ret 0x10",
    exit: ({ target }) => `read 0xd0000100 u64 -> ${target}`,
    rsp: "0xd0000118",
  },
  "protected-call": {
    mode: "protected",
    instruction: "call target",
    exit: ({ behind }) => `write 0xd00000fc u32 ${behind}`,
    rsp: "0xd00000fc",
  },
  "protected-ret": {
    mode: "protected",
    instruction: "ret",
    exit: ({ target }) => `read 0xd0000100 u32 -> ${target}`,
    rsp: "0xd0000104",
  },
};

/** CALL writes the return address to a stack in a device once; RET reads it once and goes there. */
export default defineCases("mmio/stack-branch", rows, ({ mode, instruction, exit, rsp }) => ({
  spec: ["SDM 2A: CALL", "SDM 2B: RET", "KVM API 5: KVM_EXIT_MMIO"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rsp: 0xd0000100n },
  guest: asm`
    ${instruction}
    behind:
    mov cl, 1
    hlt
    target:
    mov cl, 2
    hlt
  `,
  trace: ({ behind, target }) => `
    mmio ${exit({ behind, target })}
    hlt
    = rcx 0x2
    = rsp ${rsp}
  `,
}));
