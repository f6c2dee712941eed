import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  /** The last line is the one that is tried. */
  guest: string;
  state: string;
}

const rows: Record<string, Row> = {
  "push-64": { guest: "push rdx", state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x1122334455667788" },
  "push-16": { guest: "push dx", state: "= rsp 0x7ffe\n= mem 0x7ffe u16 0x7788" },
  "push-extended": { guest: "push r12", state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0xc0c0c0c0c0c0c0c" },
  "push-rsp": { guest: "push rsp", state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x8000" },
  "push-imm8": { guest: "push -2", state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0xfffffffffffffffe" },
  "push-imm32": {
    guest: "push -0x12345678",
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0xffffffffedcba988",
  },
  "push-imm8-16": { guest: "db 0x66, 0x6a, 0x80", state: "= rsp 0x7ffe\n= mem 0x7ffe u16 0xff80" },
  "push-imm16": {
    guest: "db 0x66, 0x68, 0x34, 0x12",
    state: "= rsp 0x7ffe\n= mem 0x7ffe u16 0x1234",
  },
  "push-memory": {
    guest: "mov rax, [0xa000]\npush qword [0xa000]",
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x8877665544332211\n= rax 0x8877665544332211",
  },
  // The stack pointer is the one before the push.
  "push-memory-by-rsp": {
    guest: "push qword [rsp - 0x10]",
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x0",
  },
  "push-fs": { guest: "push fs", state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x30" },
  "push-gs-16": { guest: "db 0x66\npush gs", state: "= rsp 0x7ffe\n= mem 0x7ffe u16 0x30" },
  "pop-64": {
    guest: "mov rsp, 0xa000\npop rdx",
    state: "= rsp 0xa008\n= rdx 0x8877665544332211",
  },
  "pop-16": { guest: "mov rsp, 0xa000\npop dx", state: "= rsp 0xa002\n= rdx 0x1122334455662211" },
  "pop-extended": {
    guest: "mov rsp, 0xa000\npop r12",
    state: "= rsp 0xa008\n= r12 0x8877665544332211",
  },
  "pop-rsp": { guest: "mov rsp, 0xa000\npop rsp", state: "= rsp 0x8877665544332211" },
  "pop-memory": {
    guest: "mov rsp, 0xa000\npop qword [0xb000]",
    state: "= rsp 0xa008\n= mem 0xb000 u64 0x8877665544332211",
  },
  // The address is computed with the stack pointer behind the pop.
  "pop-memory-by-rsp": {
    guest: "mov rsp, 0xa000\npop qword [rsp + 0x100]",
    state: "= rsp 0xa008\n= mem 0xa108 u64 0x8877665544332211",
  },
  "pop-fs": {
    guest: "mov qword [0xb000], 0x23\nmov rsp, 0xb000\npop fs",
    state: "= rsp 0xb008\n= fs.selector 0x23\n= fs.access 0xc0f3\n= mem 0xb000 u64 0x23",
  },
  enter: {
    guest: "enter 0x20, 0",
    state: "= rsp 0x7fd8\n= rbp 0x7ff8\n= mem 0x7ff8 u64 0x5555555566666666",
  },
  leave: {
    guest: "mov rbp, 0xa000\nleave",
    state: "= rsp 0xa008\n= rbp 0x8877665544332211",
  },
  "leave-16": {
    guest: "mov rbp, 0xa000\ndb 0x66\nleave",
    state: "= rsp 0xa002\n= rbp 0x2211",
  },
  xlat: { guest: "mov ebx, 0x9fff\nmov eax, 0x7701\nxlatb", state: "= rbx 0x9fff\n= rax 0x7711" },
};

/** The stack in 64-bit mode: what is pushed and popped, of which size, and where RSP is then. */
export default defineCases("emulate/stack", inBothWays(rows), ({ row: { guest, state }, way }) => {
  const lines = guest.split("\n");
  // A prefix byte belongs to the instruction behind it.
  const last = lines.at(-2)?.startsWith("db 0x66") ? -2 : -1;
  lines.splice(last, 0, way.prefix);
  return {
    spec: ["SDM 2: ENTER, LEAVE, POP, PUSH, XLAT", "SDM 1 6.2.2: stack alignment; 6.2.3: widths"],
    mode: "long",
    requires: way.requires,
    machine: { rflags: { set: 0x8d5n } },
    registers: { rdx: 0x1122334455667788n, rbp: 0x5555555566666666n },
    guest: asm`
      ${lines.join("\n")}
      hlt
    `,
    drive: ({ write }) =>
      write(0xa000, Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88)),
    trace: `
      hlt
      ${state}
    `,
  };
});
