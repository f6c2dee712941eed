import { asm, defineCases } from "../../mod.ts";
import { ways } from "../_ways.ts";

interface Row {
  /** Lines before it, the instruction, and those behind it. */
  before?: string;
  tried: string;
  behind?: string;
  iopl?: 0 | 3;
  state?: (labels: Readonly<Record<string, string>>) => string;
}

/** A segment register that was loaded in virtual-8086 mode. */
const segment = (name: string, selector: number) =>
  `= ${name}.selector 0x${selector.toString(16)}\n= ${name}.base 0x${
    (selector * 16).toString(16)
  }\n= ${name}.limit 0xffff\n= ${name}.access 0xf3`;

const rows: Record<string, Row> = {
  "load-segment": {
    before: "mov ax, 0xa00",
    tried: "mov ds, ax",
    state: () => `= rax 0xa00\n${segment("ds", 0xa00)}`,
  },
  // Selectors of no meaning in protected mode.
  "load-segment-null": {
    tried: "mov ds, ax",
    state: () => segment("ds", 0),
  },
  "load-stack": {
    before: "mov ax, 0x10",
    tried: "mov ss, ax",
    behind: "nop",
    state: () => `= rax 0x10\n${segment("ss", 0x10)}`,
  },
  "load-far-pointer": {
    before: "mov dword [0xa010], 0x0b005566",
    tried: "lfs bx, [0xa010]",
    state: () => `= rbx 0x5566\n${segment("fs", 0xb00)}\n= mem 0xa010 u32 0xb005566`,
  },
  "pop-segment": {
    before: "push 0x1234",
    tried: "pop fs",
    state: () => `${segment("fs", 0x1234)}\n= mem 0x7ffe u16 0x1234`,
  },
  "far-jump": {
    tried: "db 0xea\ndw over - 0x10\ndw 1",
    behind: "int3\nover:",
    state: () => segment("cs", 1),
  },
  "far-call": {
    tried: "db 0x9a\ndw over - 0x10\ndw 1",
    behind: "int3\nover:",
    state: ({ next }) => `${segment("cs", 1)}\n= rsp 0x7ffc\n= mem 0x7ffc u16 [${next} 0x0]`,
  },
  "far-return": {
    before: "push 1\npush over - 0x10",
    tried: "retf",
    behind: "int3\nover:",
    state: () => `${segment("cs", 1)}\n= mem 0x7ffc u16 [* 0x1]`,
  },
  "push-flags": {
    iopl: 3,
    tried: "pushf",
    state: () => "= rsp 0x7ffe\n= mem 0x7ffe u16 0x3002",
  },
  // VM and RF are 0 in the image.
  "push-flags-32": {
    iopl: 3,
    tried: "db 0x66\npushf",
    state: () => "= rsp 0x7ffc\n= mem 0x7ffc u32 0x3002",
  },
  // IF and the rest change; IOPL does not.
  "pop-flags": {
    iopl: 3,
    before: "push 0x0ed7",
    tried: "popf",
    state: () => "= rflags 0x23ed7\n= mem 0x7ffe u16 0xed7",
  },
  "pop-flags-32": {
    iopl: 3,
    before: "push dword 0x2408d7",
    tried: "db 0x66\npopf",
    state: () => "= rflags 0x2638d7\n= mem 0x7ffc u32 0x2408d7",
  },
  "address-wraps": {
    before: "mov byte [0xa020], 0x77\nmov bx, 0xf000",
    tried: "mov al, [bx + 0xb020]",
    state: () => "= rax 0x77\n= rbx 0xf000\n= mem 0xa020 u8 0x77",
  },
  "string": {
    before: "mov byte [0xffff], 0x77\nmov si, 0xffff",
    tried: "lodsb",
    state: () => "= rax 0x77\n= rsi 0x0\n= mem 0xffff u8 0x77",
  },
  "stack-wraps": { before: "mov sp, 0", tried: "push ax", state: () => "= rsp 0xfffe" },
  "machine-status": { tried: "smsw bx", state: () => "= rbx 0x31" },
  "far-pointer-16": {
    before: "mov dword [0xa010], over - 0x10 + 0x10000",
    tried: "db 0xff, 0x2e, 0x10, 0xa0",
    behind: "int3\nover:",
    state: () => `${segment("cs", 1)}\n= mem 0xa010 u32 *`,
  },
};

/** Virtual-8086 mode: segments are shifts with a limit of 64 KiB at DPL 3, and no IOPL is changed. */
export default defineCases(
  "emulate/virtual-8086",
  rows,
  ({ before, tried, behind, iopl, state }) => ({
    spec: ["SDM 3B 21.2: virtual-8086 mode", "SDM 2: each instruction's operation"],
    mode: "protected",
    requires: ways["-forced"].requires,
    guest: asm`
    bits 16
    ${before ?? ""}
    ${ways["-forced"].prefix}
    ${tried}
    next:
    ${behind ?? ""}
    db 0x26, 0x66, 0xa2, 0x34, 0x12   ; MOV byte [ES:0x1234], AL
    bits 32
  `,
    drive: ({ vcpu }) => {
      const sregs = vcpu.sregs();
      // Base 16 times the selector, limit 0xffff, read/write, DPL 3 (SDM 3C 27.3.1.2).
      const flat = { ...sregs.ds, selector: 0, limit: 0xffff, type: 3, dpl: 3, db: 0, g: 0 };
      const hole = { ...flat, selector: 0x2000, base: 0x20000n };
      vcpu.setRegs({ ...vcpu.regs(), rflags: 0x20002n | BigInt(iopl ?? 0) << 12n });
      vcpu.setSregs({ ...sregs, ds: flat, es: hole, fs: flat, gs: flat, ss: flat, cs: flat });
    },
    trace: (labels) => `
    > set-regs
    > set-sregs
    mmio write 0x21234 u8 *
    ${frame(state?.(labels) ?? "", iopl ?? 0)}
  `,
  }),
);

/** What the host set, where the guest changed nothing of it. */
function frame(state: string, iopl: number): string {
  const lines = [
    ...["cs", "ds", "fs", "gs", "ss"].filter((name) => !state.includes(`= ${name}.`)).flatMap((
      name,
    ) => [`= ${name}.selector 0x0`, `= ${name}.limit 0xffff`, `= ${name}.access 0xf3`]),
    "= es.selector 0x2000",
    "= es.base 0x20000",
    "= es.limit 0xffff",
    "= es.access 0xf3",
  ];
  if (!state.includes("= rflags")) {
    lines.push(`= rflags 0x${(0x20002 | iopl << 12).toString(16)}`);
  }
  return `${lines.join("\n")}\n${state}`;
}
