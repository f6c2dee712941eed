import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  guest: string;
  /** How many lines from the end the tried one is; default the last. */
  behind?: number;
  state: string;
  memory?: readonly number[];
}

const rows: Record<string, Row> = {
  lgdt: {
    guest: "lgdt [0xa000]",
    memory: [0x7f, 0x01, 0x00, 0x10, 0, 0, 0, 0, 0, 0],
    state: "= gdt.base 0x1000\n= gdt.limit 0x17f",
  },
  lidt: {
    guest: "lidt [0xa000]",
    memory: [0xff, 0x0f, 0x00, 0x40, 0, 0, 0, 0x80, 0xff, 0xff],
    state: "= idt.base 0xffff800000004000\n= idt.limit 0xfff",
  },
  sgdt: {
    guest: "sgdt [0xb000]",
    state: "= mem 0xb000 u8 [0xff 0x0 0x0 0x10 0x0 0x0 0x0 0x0 0x0 0x0]",
  },
  sidt: {
    guest: "sidt [0xb000]",
    state: "= mem 0xb000 u8 [0xff 0xf 0x0 0x20 0x0 0x0 0x0 0x0 0x0 0x0]",
  },
  sldt: { guest: "sldt [0xb000]", state: "" },
  str: { guest: "str [0xb000]", state: "= mem 0xb000 u16 0x68" },
  smsw: { guest: "smsw [0xb000]", state: "= mem 0xb000 u16 0x31" },
  "lmsw-sets": { guest: "mov eax, 0x000e\nlmsw ax", state: "= rax 0xe\n= cr0 0x8001003f" },
  // Neither PE nor what is above bit 3.
  "lmsw-clears-no-pe": {
    guest: "mov eax, 0xfff0\nlmsw ax",
    state: "= rax 0xfff0\n= cr0 0x80010031",
  },
  clts: {
    guest: "mov rax, cr0\nor eax, 8\nmov cr0, rax\nclts",
    state: "= rax 0x80010039\n= rflags *",
  },
  "mov-to-cr0": {
    guest: "mov eax, 0x8001003b\nmov cr0, rax",
    state: "= rax 0x8001003b\n= cr0 0x8001003b",
  },
  "mov-to-cr3": { guest: "mov eax, 0x10018\nmov cr3, rax", state: "= rax 0x10018\n= cr3 0x10018" },
  "mov-to-cr4": { guest: "mov eax, 0x6a0\nmov cr4, rax", state: "= rax 0x6a0\n= cr4 0x6a0" },
  "mov-to-cr8": { guest: "mov eax, 5\nmov cr8, rax", state: "= rax 0x5\n= cr8 0x5" },
  "mov-to-dr0": {
    guest: "mov rax, 0xffff800000001234\nmov dr0, rax",
    state: "= rax 0xffff800000001234\n= dr0 0xffff800000001234",
  },
  "mov-to-dr6": {
    guest: "mov eax, 0xffff2ff1\nmov dr6, rax",
    state: "= rax 0xffff2ff1\n= dr6 0xffff2ff1",
  },
  "mov-to-dr7": { guest: "mov eax, 0x300\nmov dr7, rax", state: "= rax 0x300\n= dr7 0x700" },
  "mov-from-dr6": { guest: "mov rax, dr6", state: "= rax 0xffff0ff0" },
  wrmsr: {
    guest: "mov ecx, 0xc0000081\nmov eax, 0x11223344\nmov edx, 0x55667788\nwrmsr",
    state:
      "= rcx 0xc0000081\n= rax 0x11223344\n= rdx 0x55667788\n= msr.0xc0000081 0x5566778811223344",
  },
  rdmsr: {
    guest: "mov ecx, 0xc0000080\nmov rdx, -1\nrdmsr",
    state: "= rcx 0xc0000080\n= rax 0xd00\n= rdx 0x0",
  },
  "lldt-null": { guest: "lldt ax", state: "" },
  "fs-selector": {
    guest: "mov eax, 0x23\nmov fs, eax",
    state: "= rax 0x23\n= fs.selector 0x23\n= fs.access 0xc0f3",
  },
  "ds-null": { guest: "mov ds, eax", state: "= ds.selector 0x0\n= ds.access *" },
  "lss-32": {
    guest: "mov dword [0xa010], 0x7f00\nmov dword [0xa014], 0x30\nlss esp, [0xa010]",
    state: "= rsp 0x7f00\n= mem 0xa010 u32 [0x7f00 0x30]",
  },
  "lfs-32": {
    guest: "mov dword [0xa010], 0x55667788\nmov dword [0xa014], 0x23\nlfs ebx, [0xa010]",
    state:
      "= rbx 0x55667788\n= fs.selector 0x23\n= fs.access 0xc0f3\n= mem 0xa010 u32 [0x55667788 0x23]",
  },
  "far-jump-memory": {
    guest:
      "mov dword [0xa010], over\nmov word [0xa014], 0x28\ndb 0xff, 0x2c, 0x25, 0x10, 0xa0, 0, 0\nhlt\nover:",
    behind: 2,
    state: "= mem 0xa010 u32 [* 0x28]",
  },
  "far-call-memory": {
    guest:
      "mov dword [0xa010], over\nmov word [0xa014], 0x28\ndb 0xff, 0x1c, 0x25, 0x10, 0xa0, 0, 0\nhlt\nover:",
    behind: 2,
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u32 [* 0x28]\n= mem 0xa010 u32 [* 0x28]",
  },
  "far-return": {
    guest: "push 0x28\npush over\ndb 0x48, 0xcb\nhlt\nover:",
    behind: 2,
    state: "= mem 0x7ff0 u64 [* 0x28]",
  },
  "far-return-imm": {
    guest: "push 0\npush 0x28\npush over\ndb 0x48, 0xca, 8, 0\nhlt\nover:",
    behind: 2,
    state: "= mem 0x7fe8 u64 [* 0x28]",
  },
  "near-return-imm": {
    guest: "push 0\npush over\nret 8\nhlt\nover:",
    behind: 2,
    state: "= mem 0x7ff0 u64 *",
  },
  "near-call": {
    guest: "call over\nhlt\nover:",
    behind: 2,
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 *",
  },
  "near-call-register": {
    guest: "mov eax, over\ncall rax\nhlt\nover:",
    behind: 2,
    state: "= rax *\n= rsp 0x7ff8\n= mem 0x7ff8 u64 *",
  },
  "near-jump-register": {
    guest: "mov eax, over\njmp rax\nhlt\nover:",
    behind: 2,
    state: "= rax *",
  },
  fninit: { guest: "fninit", state: "" },
  fnstcw: { guest: "fninit\nfnstcw [0xb000]", state: "= mem 0xb000 u16 0x37f" },
  fnstsw: {
    guest: "fninit\nmov word [0xb000], 0x5555\nfnstsw [0xb000]",
    state: "= mem 0xb000 u16 0x0",
  },
  clflush: { guest: "clflush [0xa000]", state: "" },
  wbinvd: { guest: "wbinvd", state: "" },
  invlpg: { guest: "invlpg [0xa000]", state: "" },
};

/** System instructions that carry out what they say. */
export default defineCases("emulate/system", inBothWays(rows), ({ row, way }) => {
  const { guest, behind = 0, state, memory } = row;
  const lines = guest.split("\n");
  lines.splice(lines.length - 1 - behind, 0, way.prefix);
  return {
    spec: "SDM 2: each instruction's operation",
    mode: "long",
    requires: way.requires,
    guest: asm`
      ${lines.join("\n")}
      hlt
    `,
    drive: ({ write }) => {
      if (memory !== undefined) write(0xa000, Uint8Array.from(memory));
    },
    trace: `
      hlt
      ${state}
    `,
  };
});
