import { asm, defineCases } from "../../mod.ts";
import { emulated, inBothWays } from "../_ways.ts";

interface Row {
  /** Lines before the one that is tried, the line, and those behind it. */
  before?: string;
  tried: string;
  behind?: string;
  state: (labels: Readonly<Record<string, string>>) => string;
}

const rows: Record<string, Row> = {
  "interrupt-n": {
    tried: "int 0x30",
    state: ({ next }) =>
      `= rbx 0x30\n= rsp 0x7ffa\n= rflags 0xd7\n= mem 0x7ffa u16 [${next} 0x0 0x2d7]`,
  },
  "interrupt-3": {
    tried: "int3",
    state: ({ next }) =>
      `= rbx 0x3\n= rsp 0x7ffa\n= rflags 0xd7\n= mem 0x7ffa u16 [${next} 0x0 0x2d7]`,
  },
  "interrupt-overflow": {
    before: "mov al, 0x7f\nadd al, 1",
    tried: "into",
    state: ({ next }) =>
      `= rax 0x80\n= rbx 0x4\n= rsp 0x7ffa\n= rflags 0x892\n= mem 0x7ffa u16 [${next} 0x0 0xa92]`,
  },
  "interrupt-no-overflow": { tried: "into", state: () => "= rflags 0x2d7" },
  "interrupt-return": {
    before: "push 0x8d7\npush 0\npush over",
    tried: "iret",
    behind: "hlt\nover:",
    state: ({ over }) => `= rflags 0x8d7\n= mem 0x7ffa u16 [${over} 0x0 0x8d7]`,
  },
  "interrupt-return-32": {
    before: "push dword 0x2408d7\npush dword 0\npush dword over",
    tried: "db 0x66\niret",
    behind: "hlt\nover:",
    state: ({ over }) => `= rflags 0x2408d7\n= mem 0x7ff4 u32 [${over} 0x0 0x2408d7]`,
  },
  "far-call": {
    tried: "db 0x9a\ndw over - 0x10\ndw 1",
    behind: "hlt\nover:",
    state: ({ next }) =>
      `= cs.selector 0x1\n= cs.base 0x10\n= rsp 0x7ffc\n= mem 0x7ffc u16 [${next} 0x0]`,
  },
  "far-jump": {
    tried: "db 0xea\ndw over - 0x10\ndw 1",
    behind: "hlt\nover:",
    state: () => "= cs.selector 0x1\n= cs.base 0x10",
  },
  "far-return": {
    before: "push 1\npush over - 0x10",
    tried: "retf",
    behind: "hlt\nover:",
    state: () => "= cs.selector 0x1\n= cs.base 0x10\n= mem 0x7ffc u16 [* 0x1]",
  },
  "far-return-imm": {
    before: "push 0x5555\npush 1\npush over - 0x10",
    tried: "retf 2",
    behind: "hlt\nover:",
    state: () => "= cs.selector 0x1\n= cs.base 0x10\n= mem 0x7ffa u16 [* 0x1 0x5555]",
  },
  "load-es": {
    before: "mov ax, 0x1234",
    tried: "mov es, ax",
    state: () => "= rax 0x1234\n= es.selector 0x1234\n= es.base 0x12340",
  },
  "load-far-pointer": {
    before: "mov dword [0xa010], 0x20005566",
    tried: "lds bx, [0xa010]",
    state: () =>
      "= rbx 0x5566\n= ds.selector 0x2000\n= ds.base 0x20000\n= mem 0xa010 u32 0x20005566",
  },
  "push-segment": {
    before: "mov ax, 0x1234\nmov fs, ax",
    tried: "push fs",
    state: () =>
      "= rax 0x1234\n= fs.selector 0x1234\n= fs.base 0x12340\n= rsp 0x7ffe\n= mem 0x7ffe u16 0x1234",
  },
  "pop-segment": {
    before: "push 0x1234",
    tried: "pop es",
    state: () => "= es.selector 0x1234\n= es.base 0x12340\n= mem 0x7ffe u16 0x1234",
  },
  "pusha": {
    before: "mov ax, 0x1111\nmov di, 0x7777",
    tried: "pusha",
    state: () =>
      "= rax 0x1111\n= rdi 0x7777\n= rsp 0x7ff0\n= mem 0x7ff0 u16 [0x7777 0x0 0x0 0x8000 0x0 0x0 0x0 0x1111]",
  },
  "stack-wraps": { before: "mov sp, 0", tried: "push ax", state: () => "= rsp 0xfffe" },
  "string-wraps": {
    before: "mov si, 0xffff\nmov di, 0xa000",
    tried: "movsb",
    state: () => "= rsi 0x0\n= rdi 0xa001",
  },
  "address-16": {
    before: "mov bx, 0x9000\nmov si, 0x1010",
    tried: "mov al, [bx + si + 0x10]",
    state: () => "= rbx 0x9000\n= rsi 0x1010",
  },
  "address-wraps": {
    before: "mov byte [0xa020], 0x77\nmov bx, 0xf000",
    tried: "mov al, [bx + 0xb020]",
    state: () => "= rax 0x77\n= rbx 0xf000\n= mem 0xa020 u8 0x77",
  },
  "jump-wraps": { tried: "jmp over", behind: "hlt\nover:", state: () => "" },
  "enter-protected": {
    before: "mov eax, 0x31",
    tried: "lmsw ax",
    state: () => "= rax 0x31\n= cr0 0x11\n= cs.access *",
  },
  "machine-status": { tried: "smsw ax", state: () => "= rax 0x10" },
};

const limits: Record<string, Row> = {
  "segment-limit": {
    before: "mov bx, 0xffff",
    tried: "mov ax, [bx]",
    state: ({ faulting }) =>
      `= rbx 0xd\n= rsp 0x7ffa\n= rflags 0xd7\n= mem 0x7ffa u16 [${faulting} 0x0 0x2d7]`,
  },
};

/** Real mode: interrupts and far transfers, segments that are shifts, and offsets that wrap at 64 KiB. */
export default defineCases(
  "emulate/real",
  { ...inBothWays(rows), ...emulated(limits) },
  ({ row, way }) => ({
    spec: ["SDM 3B 21.1: real-address mode", "SDM 2: each instruction's operation"],
    mode: "real",
    requires: way.requires,
    machine: { rflags: { set: 0x2d7n } },
    handlers: { 3: "at_3", 4: "at_4", 13: "at_13", 0x30: "at_30" },
    guest: asm`
    ${row.before ?? ""}
    ${way.prefix}
    faulting:
    ${row.tried}
    next:
    ${row.behind ?? ""}
    hlt
    at_3:
    mov bl, 3
    hlt
    at_4:
    mov bl, 4
    hlt
    at_13:
    mov bx, 13
    hlt
    at_30:
    mov bl, 0x30
    hlt
  `,
    trace: (labels) => `
    hlt
    ${row.state(labels)}
  `,
  }),
);
