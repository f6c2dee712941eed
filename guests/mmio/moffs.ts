import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { mode: ModeName; instruction: string; exit: string; state: string };

const real = "= rsi 0x2000\n= es.selector 0x2000\n= es.base 0x20000";

const rows: Record<string, Row> = {
  "long-load-u8": {
    mode: "long",
    instruction: "mov al, [qword 0x1234560018]",
    exit: "read 0xd0000018 u8 -> 0x9a",
    state: "= rax 0x112233445566779a",
  },
  "long-load-u16": {
    mode: "long",
    instruction: "mov ax, [qword 0x1234560018]",
    exit: "read 0xd0000018 u16 -> 0x9abc",
    state: "= rax 0x1122334455669abc",
  },
  "long-load-u32": {
    mode: "long",
    instruction: "mov eax, [qword 0x1234560018]",
    exit: "read 0xd0000018 u32 -> 0x9abcdef1",
    state: "= rax 0x9abcdef1",
  },
  "long-load-u64": {
    mode: "long",
    instruction: "mov rax, [qword 0x1234560018]",
    exit: "read 0xd0000018 u64 -> 0x9abcdef180a0c0e1",
    state: "= rax 0x9abcdef180a0c0e1",
  },
  "long-store-u8": {
    mode: "long",
    instruction: "mov [qword 0x1234560018], al",
    exit: "write 0xd0000018 u8 0x88",
    state: "",
  },
  "long-store-u16": {
    mode: "long",
    instruction: "mov [qword 0x1234560018], ax",
    exit: "write 0xd0000018 u16 0x7788",
    state: "",
  },
  "long-store-u32": {
    mode: "long",
    instruction: "mov [qword 0x1234560018], eax",
    exit: "write 0xd0000018 u32 0x55667788",
    state: "",
  },
  "long-store-u64": {
    mode: "long",
    instruction: "mov [qword 0x1234560018], rax",
    exit: "write 0xd0000018 u64 0x1122334455667788",
    state: "",
  },
  "long-address-size-32": {
    mode: "long",
    instruction: "db 0x67, 0xa1             ; a32 mov eax, moffs32\ndd 0xd0000018",
    exit: "read 0xd0000018 u32 -> 0x9abcdef1",
    state: "= rax 0x9abcdef1",
  },
  "protected-load": {
    mode: "protected",
    instruction: "mov eax, [0xd0000018]",
    exit: "read 0xd0000018 u32 -> 0x9abcdef1",
    state: "= rax 0x9abcdef1",
  },
  "protected-store": {
    mode: "protected",
    instruction: "mov [0xd0000018], ax",
    exit: "write 0xd0000018 u16 0x7788",
    state: "",
  },
  "real-load": {
    mode: "real",
    instruction: "mov si, 0x2000\nmov es, si\nmov al, [es:0xfffe]",
    exit: "read 0x2fffe u8 -> 0x9a",
    state: `= rax 0x5566779a\n${real}`,
  },
  "real-store": {
    mode: "real",
    instruction: "mov si, 0x2000\nmov es, si\nmov [es:0xfffe], ax",
    exit: "write 0x2fffe u16 0x7788",
    state: real,
  },
};

/** MOV between the accumulator and an offset in the instruction, 64 bits wide in 64-bit mode. */
export default defineCases("mmio/moffs", rows, ({ mode, instruction, exit, state }) => ({
  spec: ["SDM 2B: MOV", "SDM 2A 2.2.1.4: direct memory-offset MOVs", "KVM API 5: KVM_EXIT_MMIO"],
  mode,
  machine: {
    rflags: { set: ARITHMETIC_FLAGS },
    map: mode === "long" ? [{ virtual: 0x1234560000, physical: 0xd0000000 }] : undefined,
  },
  registers: { rax: mode === "long" ? 0x1122334455667788n : 0x55667788n },
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
