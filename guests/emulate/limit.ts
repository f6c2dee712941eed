import { defineCases } from "../../mod.ts";
import { emulated } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [SS, GP] = [12, 13];

/** Data and code segments whose bounds differ, by selector. */
const descriptors = {
  // Expand-down data from 0xa100 on, of 32 and of 16 bits; the same to write in no way.
  0x78: 0x004097000000a0ffn,
  0x80: 0x000097000000a0ffn,
  0x88: 0x004095000000a0ffn,
  // Data from 0 to 0xa0ff; the same read-only.
  0x90: 0x004093000000a0ffn,
  0x98: 0x004091000000a0ffn,
  // Code that may be read, and that may not.
  0xa0: 0x00cf9b000000ffffn,
  0xa8: 0x00cf99000000ffffn,
  // Data from 0xa000 on whose limit counts pages: 0 to 0xfff.
  0xb0: 0x00c09300a0000000n,
};

function inSegment(
  selector: number,
  tried: string,
  outcome: Pick<Try, "fault"> & { left?: string },
  register = "es",
): Try {
  const access: Record<number, string> = {
    0x78: "= es.limit 0xa0ff\n= es.access 0x4097",
    0x80: "= es.limit 0xa0ff\n= es.access 0x97",
    0x88: "= es.limit 0xa0ff\n= es.access 0x4095",
    0x90: "= es.limit 0xa0ff\n= es.access 0x4093",
    0x98: "= es.limit 0xa0ff\n= es.access 0x4091",
    0xa0: "= es.access 0xc09b",
    0xa8: "= es.access 0xc099",
    0xb0: "= es.base 0xa000\n= es.limit 0xfff\n= es.access 0xc093|0x4093",
  };
  return {
    mode: "protected",
    registers: { rdx: 0xd1d2d3d4n },
    memory: { 0xa0f0: Array.from({ length: 32 }, (_, index) => 0x80 + index) },
    before: `mov ecx, ${selector}\nmov ${register}, ecx`,
    tried,
    fault: outcome.fault,
    state: `= rcx 0x${selector.toString(16)}\n= ${register}.selector 0x${selector.toString(16)}\n${
      access[selector].replaceAll("es.", `${register}.`)
    }\n${outcome.left ?? ""}`,
  };
}

const reads = (selector: number, address: number, value: string, register = "es"): Try =>
  inSegment(selector, `mov eax, [${register}:${address}]`, { left: `= rax ${value}` }, register);
const refuses = (selector: number, tried: string, vector = GP, register = "es"): Try =>
  inSegment(selector, tried, { fault: { vector, error: 0 } }, register);

const rows: Record<string, Try> = {
  "up-last": reads(0x90, 0xa0fc, "0x8f8e8d8c"),
  "up-across": refuses(0x90, "mov eax, [es:0xa0fd]"),
  "up-beyond": refuses(0x90, "mov al, [es:0xa100]"),
  "up-last-byte": inSegment(0x90, "mov al, [es:0xa0ff]", { left: "= rax 0x8f" }),
  "up-write-across": refuses(0x90, "mov [es:0xa0fe], edx"),
  "up-write-last": inSegment(0x90, "mov [es:0xa0fe], dx", { left: "= mem 0xa0fe u16 0xd3d4" }),
  "up-of-pages": inSegment(0xb0, "mov eax, [es:0xffc]", { left: "" }),
  "up-of-pages-beyond": refuses(0xb0, "mov eax, [es:0xffd]"),
  "down-first": reads(0x78, 0xa100, "0x93929190"),
  "down-last-below": refuses(0x78, "mov al, [es:0xa0ff]"),
  "down-at-0": refuses(0x78, "mov al, [es:0]"),
  "down-16-first": reads(0x80, 0xa100, "0x93929190"),
  "down-16-below": refuses(0x80, "mov al, [es:0xa0ff]"),
  // The upper bound of 16 bits.
  "down-16-last": inSegment(0x80, "mov eax, [es:0xfffc]", { left: "" }),
  "down-16-across": refuses(0x80, "mov eax, [es:0xfffd]"),
  "down-16-beyond": refuses(0x80, "mov al, [es:0x10000]"),
  "down-above-16": inSegment(0x78, "mov al, [es:0x10000]", { left: "" }),
  "down-write": inSegment(0x78, "mov [es:0xa100], dl", { left: "= mem 0xa100 u8 0xd4" }),
  "down-read-only-read": reads(0x88, 0xa100, "0x93929190"),
  "down-read-only-write": refuses(0x88, "mov [es:0xa100], dl"),
  "read-only-read": reads(0x98, 0xa0f0, "0x83828180"),
  "read-only-write": refuses(0x98, "mov [es:0xa0f0], dl"),
  "read-only-modify": refuses(0x98, "add [es:0xa0f0], dl"),
  // It is read alone.
  "read-only-compare": inSegment(0x98, "cmp byte [es:0xa0f0], 0x80", {
    left: "= rflags 0x46",
  }),
  "read-only-test-bit": inSegment(0x98, "bt dword [es:0xa0f0], 7", { left: "= rflags 0x3" }),
  "readable-code-read": reads(0xa0, 0xa0f0, "0x83828180"),
  "readable-code-write": refuses(0xa0, "mov [es:0xa0f0], dl"),
  "code-read": {
    mode: "protected",
    memory: { 0xa0f0: [1, 2, 3, 4] },
    tried: "mov eax, [cs:0xa0f0]",
    state: "= rax 0x4030201",
  },
  "code-write": {
    mode: "protected",
    tried: "mov [cs:0xa0f0], eax",
    fault: { vector: GP, error: 0 },
  },
  "null-read": {
    mode: "protected",
    before: "xor ecx, ecx\nmov es, ecx",
    tried: "mov al, [es:0xa000]",
    fault: { vector: GP, error: 0, flags: 0x46 },
    state: "= rflags 0x46\n= es.selector 0x0\n= es.access *",
  },
  "stack-beyond": {
    mode: "protected",
    before: "mov ecx, 0x90\nmov ss, ecx",
    tried: "mov al, [ss:0xa100]",
    fault: { vector: SS, error: 0, ss: 0x90 },
    state: "= rcx 0x90\n= ss.selector 0x90\n= ss.limit 0xa0ff\n= ss.access 0x4093",
  },
  "stack-by-ebp": {
    mode: "protected",
    before: "mov ecx, 0x90\nmov ss, ecx\nmov ebp, 0xa100",
    tried: "mov al, [ebp]",
    fault: { vector: SS, error: 0 },
    state: "= rcx 0x90\n= rbp 0xa100\n= ss.selector 0x90\n= ss.limit 0xa0ff\n= ss.access 0x4093",
  },
  "stack-exchange-beyond": {
    mode: "protected",
    before: "mov ecx, 0x90\nmov ss, ecx\nmov ebp, 0xa104",
    tried: "xchg [ebp], cl",
    fault: { vector: SS, error: 0 },
    state: "= rcx 0x90\n= rbp 0xa104\n= ss.selector 0x90\n= ss.limit 0xa0ff\n= ss.access 0x4093",
  },
  // The limit of code: where a jump leads, and where the next byte would be.
  "jump-beyond": {
    mode: "protected",
    machine: { descriptors: { 0x78: 0x00409b0000008fffn } },
    before: "db 0xea\ndd into\ndw 0x78\ninto:",
    tried: "db 0xe9\ndd 0x9000 - next",
    fault: { vector: GP, error: 0, cs: 0x78 },
    state: "= cs.selector 0x8",
  },
  "call-beyond": {
    mode: "protected",
    machine: { descriptors: { 0x78: 0x00409b0000008fffn } },
    before: "mov eax, 0x9000\ndb 0xea\ndd into\ndw 0x78\ninto:",
    tried: "call eax",
    fault: { vector: GP, error: 0, cs: 0x78 },
    state: "= rax 0x9000\n= cs.selector 0x8",
  },
  "return-beyond": {
    mode: "protected",
    machine: { descriptors: { 0x78: 0x00409b0000008fffn } },
    before: "push 0x9000\ndb 0xea\ndd into\ndw 0x78\ninto:",
    tried: "ret",
    fault: { vector: GP, error: 0, cs: 0x78, rsp: 0x7ffc },
    state: "= cs.selector 0x8\n= mem 0x7ffc u32 0x9000",
  },
  // In 64-bit mode a jump has to lead to a canonical address; bounds and types do not count.
  "long-jump-not-canonical": {
    before: "mov rax, 0x800000000000",
    tried: "jmp rax",
    fault: { vector: GP, error: 0 },
    state: "= rax 0x800000000000",
  },
  "long-call-not-canonical": {
    before: "mov rax, 0x800000000000",
    tried: "call rax",
    fault: { vector: GP, error: 0 },
    state: "= rax 0x800000000000",
  },
  "long-return-not-canonical": {
    before: "mov rax, 0x800000000000\npush rax",
    tried: "ret",
    fault: { vector: GP, error: 0, rsp: 0x7ff8 },
    state: "= rax 0x800000000000\n= mem 0x7ff8 u64 0x800000000000",
  },
  "long-read-only": {
    before: "mov ecx, 0x98\nmov ds, ecx",
    tried: "mov [0xa100], al",
    state: "= rcx 0x98\n= ds.selector 0x98\n= ds.limit 0xa0ff\n= ds.access 0x4091",
  },
  "long-fs-base": {
    before: "mov ecx, 0xc0000100\nmov eax, 0xa000\nxor edx, edx\nwrmsr",
    memory: { 0xa010: [0x11, 0x22, 0x33, 0x44] },
    tried: "db 0x64\nmov ebx, [0x10]",
    state: "= rax 0xa000\n= rcx 0xc0000100\n= rflags 0x46\n= rbx 0x44332211\n= fs.base 0xa000",
  },
  // With an address size of 32 bits the sum with the base is not cut.
  "long-gs-base-32-bit-addresses": {
    before: "mov ecx, 0xc0000101\nmov eax, 0xa000\nmov edx, 0\nwrmsr\nmov rbx, 0xff00000010",
    memory: { 0xa010: [0x11, 0x22, 0x33, 0x44] },
    tried: "db 0x65\nmov ecx, [ebx]",
    state: "= rax 0xa000\n= rcx 0x44332211\n= rbx 0xff00000010\n= gs.base 0xa000",
  },
  // The bases of the others do not count.
  "long-ds-base": {
    machine: { descriptors: { 0x78: 0x00cf93100000ffffn } },
    before: "mov ecx, 0x78\nmov ds, ecx",
    memory: { 0xa010: [0x11, 0x22, 0x33, 0x44] },
    tried: "mov ebx, [0xa010]",
    state: "= rcx 0x78\n= rbx 0x44332211\n= ds.selector 0x78\n= ds.base *",
  },
};

/** Segments' bounds and types, as each access has to keep to them. */
export default defineCases("emulate/limit", emulated(rows), ({ row, way }) => ({
  spec: [
    "SDM 3A 5.3: limit checking; 5.5: privilege; 5.4: type checking",
    "SDM 3A 3.4.5.1: expand-down data segments",
    "SDM 1 3.3.7.1: canonical addressing",
  ],
  ...tryOne({ ...row, machine: { descriptors, ...row.machine } }, way),
}));
