import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = {
  mode: ModeName;
  prepare?: string;
  instruction: string;
  /** Where the pointer is, and in which pieces it may be read. */
  read: (target: string) => string;
  state: (behind: string) => string;
};

const real = "mov si, 0x2000\nmov es, si";
const realState = "= rsi 0x2000\n= es.selector 0x2000\n= es.base 0x20000";

const rows: Record<string, Row> = {
  "real-jmp": {
    mode: "real",
    prepare: real,
    instruction: "jmp [es:di]",
    read: (target) => `0x21234 u16 -> ${target}`,
    state: () => realState,
  },
  "protected-jmp": {
    mode: "protected",
    instruction: "jmp [edi + 0xd0000000]",
    read: (target) => `0xd0001234 u32 -> ${target}`,
    state: () => "",
  },
  "long-jmp": {
    mode: "long",
    instruction: "jmp [rdi + 0x50000000]",
    read: (target) => `0x50001234 u64 -> ${target}`,
    state: () => "",
  },
  "real-call": {
    mode: "real",
    prepare: real,
    instruction: "call [es:di]",
    read: (target) => `0x21234 u16 -> ${target}`,
    state: (behind) => `${realState}\n= rsp 0x7ffe\n= mem 0x7ffe u16 ${behind}`,
  },
  "protected-call": {
    mode: "protected",
    instruction: "call [edi + 0xd0000000]",
    read: (target) => `0xd0001234 u32 -> ${target}`,
    state: (behind) => `= rsp 0x7ffc\n= mem 0x7ffc u32 ${behind}`,
  },
  "long-call": {
    mode: "long",
    instruction: "call [rdi + 0x50000000]",
    read: (target) => `0x50001234 u64 -> ${target}`,
    state: (behind) => `= rsp 0x7ff8\n= mem 0x7ff8 u64 ${behind}`,
  },
  "real-jmp-far": {
    mode: "real",
    prepare: real,
    instruction: "jmp far [es:di]",
    read: (target) => `0x21234 u16 -> [${target} 0x0]`,
    state: () => realState,
  },
  "protected-jmp-far": {
    mode: "protected",
    instruction: "jmp far [edi + 0xd0000000]",
    read: (target) => `0xd0001234 u16 -> [${target} 0x0 0x8]`,
    state: () => "",
  },
};

/** A near or far jump or call through a pointer in a device reads the pointer once and goes there. */
export default defineCases(
  "mmio/branch-through",
  rows,
  ({ mode, prepare, instruction, read, state }) => ({
    spec: ["SDM 2A: JMP", "SDM 2A: CALL", "KVM API 5: KVM_EXIT_MMIO"],
    mode,
    machine: { rflags: { set: ARITHMETIC_FLAGS } },
    registers: { rdi: 0x1234n },
    guest: asm`
      ${prepare ?? ""}
      ${instruction}
      behind:
      mov cl, 1
      hlt
      target:
      mov cl, 2
      hlt
    `,
    trace: ({ target, behind }) => `
      mmio read ${read(target)}
      hlt
      = rcx 0x2
      ${state(behind)}
    `,
  }),
);
