import { asm, defineCases, type ModeName } from "../../mod.ts";

type Row = {
  mode: ModeName;
  prepare: string;
  instruction: string;
  registers?: Record<string, bigint>;
  exit: string;
  state: string;
};

/** A writable data segment with base 0xd0000000 and a limit of 4 GiB. */
const descriptors = { 0x78: 0xd0cf93000000ffffn };

const rows: Record<string, Row> = {
  "protected-es-base": {
    mode: "protected",
    prepare: "mov ax, 0x78\nmov es, ax",
    instruction: "mov [es:edi + 4], edx",
    registers: { rdi: 0x10n },
    exit: "0xd0000014 u32 0x11223344",
    state: "= rax 0x78\n= es.selector 0x78\n= es.base 0xd0000000",
  },
  "protected-ds-default": {
    mode: "protected",
    prepare: "mov ax, 0x78\nmov ds, ax",
    instruction: "mov [edi], dx",
    registers: { rdi: 0x20000n },
    exit: "0xd0020000 u16 0x3344",
    state: "= rax 0x78\n= ds.selector 0x78\n= ds.base 0xd0000000",
  },
  "protected-ss-default": {
    mode: "protected",
    prepare: "mov ax, 0x78\nmov ds, ax",
    instruction: "mov [ebp + 8], dl",
    registers: { rbp: 0x20000n },
    exit: "0x20008 u8 0x44",
    state: "= rax 0x78\n= ds.selector 0x78\n= ds.base 0xd0000000",
  },
  // A linear address has 32 bits outside 64-bit mode.
  "protected-base-wrap": {
    mode: "protected",
    prepare: "mov ax, 0x78\nmov fs, ax",
    instruction: "mov [fs:edi], dl",
    registers: { rdi: 0x40000008n },
    exit: "0x10000008 u8 0x44",
    state: "= rax 0x78\n= fs.selector 0x78\n= fs.base 0xd0000000",
  },
  "protected-address-size-16": {
    mode: "protected",
    prepare: "mov ax, 0x78\nmov gs, ax",
    instruction: "mov [gs:bx + si + 0x30], dl",
    registers: { rbx: 0xabcdfff0n, rsi: 0x12340020n },
    exit: "0xd0000040 u8 0x44",
    state: "= rax 0x78\n= gs.selector 0x78\n= gs.base 0xd0000000",
  },
  "real-bx-si-wrap": {
    mode: "real",
    prepare: "mov ax, 0x2000\nmov ds, ax",
    instruction: "mov [bx + si + 0x10], dl",
    registers: { rbx: 0xfff0n, rsi: 0x28n },
    exit: "0x20028 u8 0x44",
    state: "= rax 0x2000\n= ds.selector 0x2000\n= ds.base 0x20000",
  },
  "real-bp-di-ss": {
    mode: "real",
    prepare: "mov ax, 0x3000\nmov ss, ax",
    instruction: "mov [bp + di - 2], dx",
    registers: { rbp: 0x100n, rdi: 0x22n },
    exit: "0x30120 u16 0x3344",
    state: "= rax 0x3000\n= ss.selector 0x3000\n= ss.base 0x30000",
  },
  "real-disp16": {
    mode: "real",
    prepare: "mov ax, 0x2000\nmov gs, ax",
    instruction: "mov [gs:0xfffe], dx",
    exit: "0x2fffe u16 0x3344",
    state: "= rax 0x2000\n= gs.selector 0x2000\n= gs.base 0x20000",
  },
  "real-address-size-32": {
    mode: "real",
    prepare: "mov ax, 0x2000\nmov fs, ax",
    instruction: "mov [fs:ebx + ecx*4], edx",
    registers: { rbx: 0x1000n, rcx: 0x11n },
    exit: "0x21044 u32 0x11223344",
    state: "= rax 0x2000\n= fs.selector 0x2000\n= fs.base 0x20000",
  },
  "long-fs-base": {
    mode: "long",
    prepare: "mov ecx, 0xc0000100\nmov eax, 0xd0000000\nxor edx, edx\nwrmsr\nmov edx, 0x11223344",
    instruction: "mov [fs:rbx + 8], edx",
    registers: { rbx: 0x10n },
    exit: "0xd0000018 u32 0x11223344",
    state: "= rax 0xd0000000\n= rcx 0xc0000100\n= rflags 0x46|0x56\n= fs.base 0xd0000000",
  },
  "long-gs-base": {
    mode: "long",
    prepare: "mov ecx, 0xc0000101\nmov eax, 0xd0000000\nxor edx, edx\nwrmsr\nmov edx, 0x11223344",
    instruction: "mov [gs:0x20], dl",
    exit: "0xd0000020 u8 0x44",
    state: "= rax 0xd0000000\n= rcx 0xc0000101\n= rflags 0x46|0x56\n= gs.base 0xd0000000",
  },
  // The effective address is cut to 32 bits before the base is added.
  "long-fs-base-address-size-32": {
    mode: "long",
    prepare: "mov ecx, 0xc0000100\nmov eax, 0xd0000000\nxor edx, edx\nwrmsr\nmov edx, 0x11223344",
    instruction: "mov [fs:ebx + 0x10], dl",
    registers: { rbx: 0xfffffff8n },
    exit: "0xd0000008 u8 0x44",
    state: "= rax 0xd0000000\n= rcx 0xc0000100\n= rflags 0x46|0x56\n= fs.base 0xd0000000",
  },
  // The bases of CS, DS, ES and SS are taken as 0 in 64-bit mode.
  "long-ds-ignored": {
    mode: "long",
    prepare: "mov eax, 0x78\nmov ds, ax",
    instruction: "mov [rbx], dl",
    registers: { rbx: 0x50000000n },
    exit: "0x50000000 u8 0x44",
    state: "= rax 0x78\n= ds.selector 0x78\n= ds.base 0xd0000000",
  },
};

/** An access through a segment adds its base, the default one or the one that a prefix names. */
export default defineCases("mmio/addressing-segment", rows, (row) => ({
  spec: [
    "SDM 1 3.7.4: specifying a segment selector",
    "SDM 3A 3.4.4: segment loading in IA-32e mode",
  ],
  mode: row.mode,
  machine: row.mode === "real" ? undefined : { descriptors },
  registers: { rdx: 0x11223344n, ...row.registers },
  guest: asm`
    ${row.prepare}
    ${row.instruction}
    hlt
  `,
  trace: `
    mmio write ${row.exit}
    hlt
    ${row.state}
  `,
}));
