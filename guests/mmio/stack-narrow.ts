import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { mode: ModeName; instruction: string; exit: string; state: string };

const realStack = "mov ax, 0x2000\nmov ss, ax\nmov esp, 0x5a5a0000";
const realState = "= rax 0x2000\n= ss.selector 0x2000\n= ss.base 0x20000";

const rows: Record<string, Row> = {
  "protected-push-u32": {
    mode: "protected",
    instruction: "mov esp, 0xd0000100\npush edx",
    exit: "write 0xd00000fc u32 0xd5d6d7d8",
    state: "= rsp 0xd00000fc",
  },
  "protected-push-u16": {
    mode: "protected",
    instruction: "mov esp, 0xd0000100\npush dx",
    exit: "write 0xd00000fe u16 0xd7d8",
    state: "= rsp 0xd00000fe",
  },
  "protected-pop-u32": {
    mode: "protected",
    instruction: "mov esp, 0xd0000100\npop edx",
    exit: "read 0xd0000100 u32 -> 0x9abcdef1",
    state: "= rsp 0xd0000104\n= rdx 0x9abcdef1",
  },
  "protected-pushfd": {
    mode: "protected",
    instruction: "mov esp, 0xd0000100\npushfd",
    exit: "write 0xd00000fc u32 0x8d7",
    state: "= rsp 0xd00000fc",
  },
  // SP has 16 bits and wraps in its segment; the rest of ESP stays.
  "real-push-wrap": {
    mode: "real",
    instruction: `${realStack}\npush dx`,
    exit: "write 0x2fffe u16 0xd7d8",
    state: `${realState}\n= rsp 0x5a5afffe`,
  },
  "real-pop": {
    mode: "real",
    instruction: `${realStack}\npop dx`,
    exit: "read 0x20000 u16 -> 0x9abc",
    state: `${realState}\n= rsp 0x5a5a0002\n= rdx 0xd5d69abc`,
  },
  "real-pop-ds": {
    mode: "real",
    instruction: `${realStack}\npop ds`,
    exit: "read 0x20000 u16 -> 0x9abc",
    state: `${realState}\n= rsp 0x5a5a0002\n= ds.selector 0x9abc\n= ds.base 0x9abc0`,
  },
};

/** The stack of 32-bit and real-address mode in a device: one access of the operand's size. */
export default defineCases("mmio/stack-narrow", rows, ({ mode, instruction, exit, state }) => ({
  spec: ["SDM 2B: PUSH, PUSHF, POP", "SDM 1 6.2: stacks", "KVM API 5: KVM_EXIT_MMIO"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rdx: 0xd5d6d7d8n },
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
