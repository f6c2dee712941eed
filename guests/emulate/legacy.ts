import { asm, defineCases, type ModeName } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  modes?: readonly ModeName[];
  /** The last line is the one that is tried. */
  guest: string;
  state: string;
}

const registers = {
  rax: 0x11121314n,
  rcx: 0x21222324n,
  rdx: 0x31323334n,
  rbx: 0x41424344n,
  rbp: 0x51525354n,
  rsi: 0x61626364n,
  rdi: 0x71727374n,
};

const table: Record<string, Row> = {
  pusha: {
    guest: "db 0x60",
    state:
      "= rsp 0x7fe0\n= mem 0x7fe0 u32 [0x71727374 0x61626364 0x51525354 0x8000 0x41424344 0x31323334 0x21222324 0x11121314]",
  },
  "pusha-16": {
    guest: "db 0x66, 0x60",
    state:
      "= rsp 0x7ff0\n= mem 0x7ff0 u16 [0x7374 0x6364 0x5354 0x8000 0x4344 0x3334 0x2324 0x1314]",
  },
  // ESP is popped over.
  popa: {
    guest: "mov esp, 0xa000\ndb 0x61",
    state:
      "= rdi 0x3020100\n= rsi 0x7060504\n= rbp 0xb0a0908\n= rsp 0xa020\n= rbx 0x13121110\n= rdx 0x17161514\n= rcx 0x1b1a1918\n= rax 0x1f1e1d1c",
  },
  "popa-16": {
    guest: "mov esp, 0xa000\ndb 0x66, 0x61",
    state:
      "= rdi 0x71720100\n= rsi 0x61620302\n= rbp 0x51520504\n= rsp 0xa010\n= rbx 0x41420908\n= rdx 0x31320b0a\n= rcx 0x21220d0c\n= rax 0x11120f0e",
  },
  "push-cs": { guest: "push cs", state: "= rsp 0x7ffc\n= mem 0x7ffc u32 0x8" },
  "push-ds": { guest: "push ds", state: "= rsp 0x7ffc\n= mem 0x7ffc u32 0x10" },
  "push-es": { guest: "push es", state: "= rsp 0x7ffc\n= mem 0x7ffc u32 0x10" },
  "push-ss": { guest: "push ss", state: "= rsp 0x7ffc\n= mem 0x7ffc u32 0x10" },
  "pop-es": {
    guest: "push 0x23\npop es",
    state: "= es.selector 0x23\n= es.access 0xc0f3\n= mem 0x7ffc u32 0x23",
  },
  "pop-ds": {
    guest: "push 0x23\npop ds",
    state: "= ds.selector 0x23\n= ds.access 0xc0f3\n= mem 0x7ffc u32 0x23",
  },
  "pop-ss": { guest: "push 0x10\npop ss\nnop", state: "= mem 0x7ffc u32 0x10" },
  "inc-short": { guest: "db 0x40", state: "= rax 0x11121315\n= rflags 0x2|0x6" },
  "dec-short": { guest: "db 0x4b", state: "= rbx 0x41424343\n= rflags 0x2|0x6" },
  // AH = AL / 10, AL = the rest.
  aam: { guest: "mov al, 77\naam", state: "= rax 0x11120707\n= rflags 0x2" },
  "aam-base": { guest: "mov al, 0x5c\ndb 0xd4, 0x10", state: "= rax 0x1112050c\n= rflags 0x6" },
  // AL = AH * 10 + AL, AH = 0.
  aad: { guest: "mov ax, 0x0703\naad", state: "= rax 0x11120049\n= rflags 0x2" },
  das: {
    guest: "mov al, 0x47\nsub al, 0x58\ndas",
    // 47 - 58 is 89, borrowed.
    state: "= rax 0x11121389\n= rflags 0x93|0x893",
  },
  "das-adjusts-nothing": {
    guest: "mov al, 0x47\nsub al, 0x12\ndas",
    state: "= rax 0x11121335\n= rflags 0x6|0x806",
  },
  // The borrow of the first step stays.
  "das-borrows": {
    guest: "mov eax, 0x1005\nsahf\ndas",
    state: "= rax 0x10ff\n= rflags 0x97|0x897",
  },
  // 0 is the greatest that borrows there, 6 the least that does not.
  "das-borrows-of-0": {
    guest: "mov eax, 0x1000\nsahf\ndas",
    state: "= rax 0x10fa\n= rflags 0x97|0x897",
  },
  "das-borrows-not": {
    guest: "mov eax, 0x1006\nsahf\ndas",
    state: "= rax 0x1000\n= rflags 0x56|0x856",
  },
  "salc-carry": { guest: "stc\ndb 0xd6", state: "= rax 0x111213ff\n= rflags 0x3" },
  "salc-no-carry": { guest: "clc\ndb 0xd6", state: "= rax 0x11121300" },
  "aad-base": { guest: "mov ax, 0x0703\ndb 0xd5, 0x10", state: "= rax 0x11120073\n= rflags 0x2" },
  les: {
    guest: "mov dword [0xa010], 0x99887766\nmov dword [0xa014], 0x23\nles edx, [0xa010]",
    state:
      "= rdx 0x99887766\n= es.selector 0x23\n= es.access 0xc0f3\n= mem 0xa010 u32 [0x99887766 0x23]",
  },
  lds: {
    guest: "mov dword [0xa010], 0x99887766\nmov dword [0xa014], 0x23\nlds edx, [0xa010]",
    state:
      "= rdx 0x99887766\n= ds.selector 0x23\n= ds.access 0xc0f3\n= mem 0xa010 u32 [0x99887766 0x23]",
  },
  lfs: {
    guest: "mov dword [0xa010], 0x99887766\nmov dword [0xa014], 0x23\nlfs edx, [0xa010]",
    state:
      "= rdx 0x99887766\n= fs.selector 0x23\n= fs.access 0xc0f3\n= mem 0xa010 u32 [0x99887766 0x23]",
  },
  lgs: {
    guest: "mov dword [0xa010], 0x99887766\nmov dword [0xa014], 0x23\nlgs edx, [0xa010]",
    state:
      "= rdx 0x99887766\n= gs.selector 0x23\n= gs.access 0xc0f3\n= mem 0xa010 u32 [0x99887766 0x23]",
  },
  lss: {
    guest: "mov dword [0xa010], 0x7f00\nmov dword [0xa014], 0x10\nlss esp, [0xa010]",
    state: "= rsp 0x7f00\n= mem 0xa010 u32 [0x7f00 0x10]",
  },
  enter: {
    guest: "enter 0x20, 0",
    state: "= rsp 0x7fdc\n= rbp 0x7ffc\n= mem 0x7ffc u32 0x51525354",
  },
  leave: { guest: "mov ebp, 0xa000\nleave", state: "= rsp 0xa004\n= rbp 0x3020100" },
  "push-imm8": { guest: "push -2", state: "= rsp 0x7ffc\n= mem 0x7ffc u32 0xfffffffe" },
  "call-far": {
    guest: "db 0x9a\ndd over\ndw 0x8\nover:",
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u32 [* 0x8]",
  },
  "jump-far": { guest: "db 0xea\ndd over\ndw 0x8\nhlt\nover:", state: "" },
  "return-far": {
    guest: "push 0x8\npush over\nretf\nhlt\nover:",
    state: "= mem 0x7ff8 u32 [* 0x8]",
  },
  "return-far-imm": {
    guest: "push 0x1234\npush 0x8\npush over\nretf 4\nhlt\nover:",
    state: "= mem 0x7ff4 u32 [* 0x8 0x1234]",
  },
  "return-imm": {
    guest: "push 0x1234\npush over\nret 4\nhlt\nover:",
    state: "= mem 0x7ff8 u32 [* 0x1234]",
  },
  "string-16-bit-addresses": {
    guest: "mov esi, 0x1000a000\nmov edi, 0x2000b000\ndb 0x67\nmovsb",
    state: "= rsi 0x1000a001\n= rdi 0x2000b001\n= mem 0xb000 u8 0x0",
  },
  "address-16": {
    guest: "mov ebx, 0x1000a000\nmov esi, 0x20000010\ndb 0x67, 0x8a, 0x00",
    state: "= rbx 0x1000a000\n= rsi 0x20000010\n= rax 0x11121310",
  },
};

/** Instructions that only 16- and 32-bit code has, in a flat 32-bit segment. */
export default defineCases(
  "emulate/legacy",
  inBothWays(table),
  ({ row: { guest, state }, way }) => {
    const lines = guest.split("\n");
    const tried = lines.findLastIndex((line) =>
      !/^(hlt|nop|over:|dd .*|dw .*|movsb)$/.test(line) || line === "db 0x67"
    );
    lines.splice(tried, 0, way.prefix);
    return {
      spec: "SDM 2: each instruction's operation and flags affected",
      mode: "protected",
      requires: way.requires,
      registers,
      guest: asm`
      ${lines.join("\n")}
      hlt
    `,
      drive: ({ write }) => write(0xa000, Uint8Array.from({ length: 32 }, (_, index) => index)),
      trace: `
      hlt
      ${state}
    `,
    };
  },
);
