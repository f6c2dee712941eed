import { defineCases } from "../../mod.ts";
import { emulated } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [NP, SS, GP] = [11, 12, 13];
const user = { privilege: 3 } as const;

/** Segments beside the flat ones, by selector. */
const descriptors = {
  // Data that was never loaded: base 0x12345678, limit 0xabcde in bytes, 16 bits.
  0x78: 0x120a92345678bcden,
  // Code of DPL 0: readable, conforming and readable, execute-only, conforming and execute-only.
  0x80: 0x00cf9b000000ffffn,
  0x88: 0x00cf9f000000ffffn,
  0x90: 0x00cf99000000ffffn,
  0x98: 0x00cf9d000000ffffn,
  // Read-only and expand-down data of DPL 0, and data of DPL 1.
  0xa0: 0x00cf91000000ffffn,
  0xa8: 0x00cf97000000ffffn,
  0xb0: 0x00cfb3000000ffffn,
  // Readable code of DPL 3, and data of DPL 3 that is not present.
  0xb8: 0x00cffb000000ffffn,
  0xc0: 0x00cf73000000ffffn,
  // An LDT of 16 bytes at 0xa100.
  0xc8: 0x00008200a100000fn,
  0xd0: 0x0000000000000000n,
  // A TSS that is available.
  0xd8: 0x000089003000206fn,
  0xe0: 0x0000000000000000n,
  // An LDT whose second half makes its base not canonical.
  0xe8: 0x000082000000ffffn,
  0xf0: 0x0000000080000000n,
};

/** `mov es, eax` of a selector. */
function loads(selector: number, state: string, machine: Try["machine"] = {}): Try {
  return {
    mode: "protected",
    machine,
    registers: { rax: BigInt(selector) },
    tried: "mov es, eax",
    state: `= es.selector 0x${selector.toString(16)}\n${state}`,
  };
}

/** The same, which is refused. */
function refuses(
  selector: number,
  vector: number,
  machine: Try["machine"] = {},
  register = "es",
): Try {
  return {
    mode: machine?.privilege === 3 ? "long" : "protected",
    machine,
    registers: { rax: BigInt(selector) },
    tried: `mov ${register}, eax`,
    fault: { vector, error: selector & 0xfffc },
  };
}

const rows: Record<string, Try> = {
  // The descriptor's parts, and its accessed bit, which is set in the table too.
  "accessed-bit": loads(
    0x78,
    "= es.base 0x12345678\n= es.limit 0xabcde\n= es.access 0x93\n= mem 0x107d u8 0x93",
  ),
  "accessed-bit-of-stack": {
    mode: "protected",
    machine: { descriptors: { 0x78: 0x00cf92000000ffffn } },
    registers: { rax: 0x78n },
    tried: "mov ss, eax",
    state: "= ss.selector 0x78\n= mem 0x107d u8 0x93",
  },
  "readable-code": loads(0x80, "= es.access 0xc09b"),
  // A conforming segment has no privilege of its own.
  "conforming-rpl-3": loads(0x8b, "= es.access 0xc09f"),
  "conforming-at-3": loads(0x8b, "= es.access 0xc09f", user),
  "execute-only": refuses(0x90, GP),
  "execute-only-conforming": refuses(0x98, GP),
  "read-only": loads(0xa0, "= es.access 0xc091"),
  "expand-down": loads(0xa8, "= es.access 0xc097"),
  "expand-down-stack": {
    mode: "protected",
    registers: { rax: 0xa8n },
    tried: "mov ss, eax",
    state: "= ss.selector 0xa8\n= ss.access 0xc097",
  },
  "dpl-1-rpl-1": loads(0xb1, "= es.access 0xc0b3"),
  "dpl-1-rpl-2": refuses(0xb2, GP),
  "dpl-1-at-3": refuses(0xb0, GP, user),
  "dpl-0-rpl-3": refuses(0x13, GP),
  "dpl-0-at-3": refuses(0x10, GP, user),
  "readable-code-dpl-0-at-3": refuses(0x80, GP, user),
  "readable-code-dpl-0-rpl-3": refuses(0x83, GP),
  "readable-code-dpl-3-at-3": loads(0xb8, "= es.access 0xc0fb", user),
  "dpl-3-rpl-0-at-3": loads(0x20, "= es.access 0xc0f3", user),
  "not-present": refuses(0xc0, NP),
  "not-present-at-3": refuses(0xc3, NP, user),
  "not-present-stack": refuses(0xc3, SS, user, "ss"),
  // What it is comes before whether it is there.
  "not-present-stack-of-ring-3": refuses(0xc0, GP, {}, "ss"),
  "stack-of-code": refuses(0x80, GP, {}, "ss"),
  "stack-dpl-0-at-3": refuses(0x13, GP, user, "ss"),
  "stack-rpl-0-at-3": refuses(0x20, GP, user, "ss"),
  "stack-null": refuses(0x0, GP, {}, "ss"),
  // RPL and CPL are the same, but CPL 3 has no null stack segment in 64-bit mode either.
  "stack-null-at-3": refuses(0x3, GP, user, "ss"),
  "stack-at-3": {
    mode: "protected",
    machine: user,
    before: "mov eax, 0x23",
    tried: "mov ss, eax",
    state: "= rax 0x23",
  },
  "task-state": refuses(0x68, GP),
  "last-of-table": refuses(0xf8, GP),
  "beyond-table": refuses(0x108, GP),
  "null-rpl-3": {
    mode: "protected",
    registers: { rax: 0x3n },
    tried: "mov es, eax",
    state: "= es.selector 0x3\n= es.access *",
  },
  // 64-bit mode alone lets the stack segment be null, with the RPL of a CPL below 3.
  "long-stack-null": {
    registers: { rax: 0n },
    tried: "mov ss, eax",
    state: "= ss.selector 0x0\n= ss.access *\n= ss.limit *",
  },
  "long-stack-null-rpl-1": {
    registers: { rax: 1n },
    tried: "mov ss, eax",
    fault: { vector: GP, error: 0 },
  },
  "long-accessed-bit": {
    machine: { descriptors: { 0x78: 0x00cf92000000ffffn } },
    registers: { rax: 0x78n },
    tried: "mov ds, eax",
    state: "= ds.selector 0x78\n= mem 0x107d u8 0x93",
  },
  // A load of FS or GS takes the base of the descriptor, and its upper half is gone.
  "long-fs-base": {
    registers: { rax: 0x78n },
    before: "mov ecx, 0xc0000100\nmov edx, 0xffff8000\nwrmsr",
    tried: "mov fs, eax",
    state:
      "= rcx 0xc0000100\n= rdx 0xffff8000\n= fs.selector 0x78\n= fs.base 0x12345678\n= fs.limit 0xabcde\n= fs.access 0x93\n= mem 0x107d u8 0x93",
  },
  // The local table.
  "ldt": {
    mode: "protected",
    registers: { rax: 0xc8n },
    tried: "lldt ax",
    state: "= ldt.selector 0xc8\n= ldt.base 0xa100\n= ldt.limit 0xf\n= ldt.access 0x82",
  },
  "ldt-long": {
    machine: { descriptors: { ...descriptors, 0xd0: 0x00000000ffff8001n } },
    registers: { rax: 0xc8n },
    tried: "lldt ax",
    state: "= ldt.selector 0xc8\n= ldt.base 0xffff80010000a100\n= ldt.limit 0xf\n= ldt.access 0x82",
  },
  "ldt-not-canonical": {
    registers: { rax: 0xe8n },
    tried: "lldt ax",
    fault: { vector: GP, error: 0xe8 },
  },
  "ldt-of-task": {
    registers: { rax: 0xd8n },
    tried: "lldt ax",
    fault: { vector: GP, error: 0xd8 },
  },
  "local-segment": {
    mode: "protected",
    registers: { rax: 0xc8n },
    memory: { 0xa108: [0xff, 0xff, 0, 0x10, 0, 0x93, 0x40, 0] },
    before: "lldt ax\nmov eax, 0xc",
    tried: "mov gs, eax",
    state:
      "= rax 0xc\n= ldt.selector 0xc8\n= ldt.base 0xa100\n= ldt.limit 0xf\n= ldt.access 0x82\n= gs.selector 0xc\n= gs.base 0x1000\n= gs.limit 0xffff\n= gs.access 0x4093",
  },
  "local-beyond-table": {
    mode: "protected",
    registers: { rax: 0xc8n },
    before: "lldt ax\nmov eax, 0x14",
    tried: "mov gs, eax",
    fault: { vector: GP, error: 0x14 },
    state: "= rax 0x14\n= ldt.selector 0xc8\n= ldt.base 0xa100\n= ldt.limit 0xf\n= ldt.access 0x82",
  },
  // Selector 4 is no null selector.
  "local-first": {
    mode: "protected",
    registers: { rax: 0xc8n },
    memory: { 0xa100: [0x34, 0x12, 0, 0x20, 0, 0x93, 0x40, 0] },
    before: "lldt ax\nmov eax, 0x4",
    tried: "mov gs, eax",
    state:
      "= rax 0x4\n= ldt.selector 0xc8\n= ldt.base 0xa100\n= ldt.limit 0xf\n= ldt.access 0x82\n= gs.selector 0x4\n= gs.base 0x2000\n= gs.limit 0x1234\n= gs.access 0x4093",
  },
  // The task register: its TSS becomes busy, in the table as well.
  "task-register": {
    mode: "protected",
    registers: { rax: 0xd8n },
    tried: "ltr ax",
    state: "= tr.selector 0xd8\n= tr.limit 0x206f\n= mem 0x10dd u8 0x8b",
  },
  "task-register-long": {
    machine: { descriptors: { ...descriptors, 0xe0: 0x00000000ffff8002n } },
    registers: { rax: 0xd8n },
    tried: "ltr ax",
    state:
      "= tr.selector 0xd8\n= tr.base 0xffff800200003000\n= tr.limit 0x206f\n= mem 0x10dd u8 0x8b",
  },
  "task-register-of-ldt": {
    registers: { rax: 0xc8n },
    tried: "ltr ax",
    fault: { vector: GP, error: 0xc8 },
  },
  "task-register-of-data": {
    registers: { rax: 0x30n },
    tried: "ltr ax",
    fault: { vector: GP, error: 0x30 },
  },
  "task-register-local": {
    registers: { rax: 0xdcn },
    tried: "ltr ax",
    fault: { vector: GP, error: 0xdc },
  },
  "task-register-not-present": {
    machine: { descriptors: { ...descriptors, 0xd8: 0x000009003000206fn } },
    registers: { rax: 0xd8n },
    tried: "ltr ax",
    fault: { vector: NP, error: 0xd8 },
  },
  // Only a selector that names a system segment's first half does.
  "table-not-present": {
    machine: {
      descriptors,
      map: [{ virtual: 0x1000, physical: 0x1000, writable: false }],
    },
    registers: { rax: 0x78n },
    tried: "mov ds, eax",
    fault: { vector: 14, error: 3 },
    state: "= cr2 0x1078",
  },
};

/** Loads of segment registers, LDTR and TR: what each descriptor gives, or refuses, and its bits. */
export default defineCases("emulate/segment", emulated(rows), ({ row, way }) => ({
  spec: [
    "SDM 2B: MOV, LLDT, LTR",
    "SDM 3A 5.6 and 5.7: privilege levels of data and stack segments",
    "SDM 3A 3.4.5.1 and 3.5.1: descriptor types, accessed and busy bits",
  ],
  ...tryOne({ ...row, machine: { descriptors, ...row.machine } }, way),
}));
