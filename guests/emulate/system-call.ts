import { defineCases, type Requirement } from "../../mod.ts";
import { forced } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [UD, GP, PF] = [6, 13, 14];
const svm: readonly Requirement[] = [{ backend: ["svm"] }];
const vmx: readonly Requirement[] = [{ backend: ["vmx"] }];

const STAR = 0xc0000081, LSTAR = 0xc0000082, CSTAR = 0xc0000083, MASK = 0xc0000084;
const [SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP] = [0x174, 0x175, 0x176];

/** Where what is called lies; it is written there by the host. */
const entry = 0x9000;

/** Into 32-bit code of compatibility mode at CPL 0, by a far pointer at 0xa010. */
const intoCompatibility =
  "mov dword [0xa010], middle\nmov word [0xa014], 0x8\ndb 0xff, 0x2c, 0x25, 0x10, 0xa0, 0, 0\nmiddle:";
const pointer = (middle: string) => `= mem 0xa010 u32 [${middle} 0x8]`;

/** MOV [0xd0000000], AL of 32-bit code. */
const store32 = [0xa2, 0x00, 0x00, 0x00, 0xd0];
/** MOV [R15], SPL. */
const store64 = [0x41, 0x88, 0x27];

const rows: Record<string, Try> = {
  // AMD's CPUs have SYSCALL in 32-bit code too: EIP is in STAR, and IF and VM alone are cleared.
  "syscall-protected": {
    requires: svm,
    mode: "protected",
    machine: { efer: { set: 0x1n }, rflags: { set: 0xad7n } },
    msrs: [[STAR, 0x8_0000_0000n | BigInt(entry)], [MASK, 0xd7n]],
    memory: { [entry]: store32 },
    tried: "syscall",
    state: ({ next }) => `= rcx ${next}\n= rflags 0x8d7`,
  },
  "syscall-protected-disabled": {
    requires: svm,
    mode: "protected",
    tried: "syscall",
    fault: { vector: UD },
  },
  // CSTAR, RFLAGS in R11, and the mask.
  "syscall-compatibility": {
    requires: svm,
    machine: { efer: { set: 0x1n } },
    msrs: [[STAR, 0x28_0000_0000n], [LSTAR, 0x1n], [CSTAR, BigInt(entry)], [MASK, 0x1n]],
    memory: { [entry]: store64 },
    before: `${intoCompatibility}\nstc`,
    tried: "syscall",
    state: ({ middle, next }) => `= rcx ${next}\n= r11 0x3\n= rflags 0x2\n${pointer(middle)}`,
  },
  // Intel's have it in 64-bit code alone.
  "syscall-protected-undefined": {
    requires: vmx,
    mode: "protected",
    tried: "syscall",
    fault: { vector: UD },
  },
  "syscall-real": { mode: "real", tried: "syscall", fault: { vector: UD } },
  "sysenter-real": { mode: "real", tried: "sysenter", fault: { vector: GP } },
  "sysexit-real": { mode: "real", tried: "sysexit", fault: { vector: GP } },
  // RIP is the register's, as a whole; the RPL of STAR's selector is not taken for CS.
  "syscall-high": {
    machine: {
      efer: { set: 0x1n },
      map: [{ virtual: 0xffff800000009000n, physical: 0x9000 }],
    },
    msrs: [[STAR, 0x28_0000_0000n], [LSTAR, 0xffff800000009000n], [CSTAR, 1n], [MASK, 0n]],
    memory: { [entry]: store64 },
    tried: "syscall",
    state: ({ next }) => `= rcx ${next}\n= r11 0x2`,
  },
  // CS is without the RPL of STAR's selector; SS is 8 more than that as it stands.
  "syscall-selector-rpl": {
    machine: { efer: { set: 0x1n } },
    msrs: [[STAR, 0x2b_0000_0000n], [LSTAR, BigInt(entry)], [MASK, 0n]],
    memory: { [entry]: store64 },
    tried: "syscall",
    state: ({ next }) => `= rcx ${next}\n= r11 0x2\n= ss.selector 0x33`,
  },
  // AMD's CPUs have SYSENTER in legacy mode alone.
  "sysenter-compatibility-undefined": {
    requires: svm,
    before: intoCompatibility,
    msrs: [[SYSENTER_CS, 0x28n]],
    tried: "sysenter\nbits 64",
    fault: { vector: UD, cs: 0x8 },
    state: ({ middle }) => pointer(middle),
  },
  // Intel's come to 64-bit code.
  "sysenter-compatibility": {
    requires: vmx,
    msrs: [
      [SYSENTER_CS, 0x28n],
      [SYSENTER_ESP, 0xffff800012345678n],
      [SYSENTER_EIP, 0xffff800000009000n],
    ],
    machine: { map: [{ virtual: 0xffff800000009000n, physical: 0x9000 }] },
    memory: { [entry]: store64 },
    before: intoCompatibility,
    tried: "sysenter",
    state: ({ middle }) => `= rsp 0xffff800012345678\n${pointer(middle)}`,
  },
  // SYSEXIT with REX.W goes to 64-bit code of CPL 3.
  "sysexit-64": {
    requires: vmx,
    msrs: [[SYSENTER_CS, 0x28n]],
    registers: { rdx: 0x9000n, rcx: 0x7f00n },
    machine: {
      map: [{ virtual: 0x9000, physical: 0x9000, user: true }, {
        virtual: 0xd0000000,
        physical: 0xd0000000,
        user: true,
      }],
    },
    memory: { [entry]: store64 },
    tried: "db 0x48, 0x0f, 0x35",
    state:
      "= rsp 0x7f00\n= cs.selector 0x4b\n= cs.access 0xa0fb\n= ss.selector 0x53\n= ss.access 0xc0f3",
  },
  "sysexit-64-rip-not-canonical": {
    requires: vmx,
    msrs: [[SYSENTER_CS, 0x28n]],
    registers: { rdx: 0x800000000000n, rcx: 0x7f00n },
    tried: "db 0x48, 0x0f, 0x35",
    fault: { vector: GP, error: 0 },
  },
  "sysexit-64-rsp-not-canonical": {
    requires: vmx,
    msrs: [[SYSENTER_CS, 0x28n]],
    registers: { rdx: 0x9000n, rcx: 0x800000000000n },
    tried: "db 0x48, 0x0f, 0x35",
    fault: { vector: GP, error: 0 },
  },
  "sysexit-64-null": {
    requires: vmx,
    registers: { rdx: 0x9000n, rcx: 0x7f00n },
    tried: "db 0x48, 0x0f, 0x35",
    fault: { vector: GP, error: 0 },
  },
  // MISC_FEATURES_ENABLES: CPUID faults above CPL 0.
  "cpuid-faults": {
    machine: { privilege: 3 },
    msrs: [[0x140, 1n]],
    tried: "cpuid",
    fault: { vector: GP, error: 0 },
  },
  "cpuid-at-0": {
    msrs: [[0x140, 1n]],
    tried: "cpuid",
    behind: "xor eax, eax\nxor ebx, ebx\nxor ecx, ecx\nxor edx, edx",
    state: "= rflags 0x46",
  },
  // The stack has not what is popped.
  "pop-not-present": stack("pop rax"),
  "pop-memory-not-present": stack("pop qword [0xb000]"),
  "pop-flags-not-present": stack("popfq"),
  "return-not-present": stack("ret"),
  "leave-not-present": {
    ...stack("leave"),
    registers: {},
    before: "mov ebp, 0xc000",
    state: "= cr2 0xc000\n= rbp 0xc000",
    fault: { vector: PF, error: 0 },
  },
  // An EIP of more than 16 bits.
  "iret-real-beyond": {
    mode: "real",
    before: "push dword 2\npush dword 0\npush dword 0x10000",
    tried: "db 0x66\niret",
    fault: { vector: GP, rsp: 0x7ff4 },
    state: "= mem 0x7ff4 u32 [0x10000 0x0 0x2]",
  },
  "vmload-address": {
    registers: { rax: 0x1000000000000n },
    tried: "db 0x0f, 0x01, 0xda",
    fault: { vector: GP, error: 0 },
    requires: svm,
  },
  "movups-with-repne": {
    machine: { cr4: { set: 0x200n } },
    tried: "db 0xf2, 0x0f, 0x28, 0xc1",
    fault: { vector: UD },
  },
  "sgdt-16-bit-operand": {
    mode: "protected",
    tried: "db 0x66\nsgdt [0xb000]",
    state: "= mem 0xb000 u8 [0xff 0x0 0x0 0x10 0x0 0x0]",
  },
  // The table is the system's, whatever the CPL.
  "accessed-bit-at-3-in-system-table": {
    machine: {
      privilege: 3,
      descriptors: { 0x78: 0x00cff2000000ffffn },
      map: [{ virtual: 0x1000, physical: 0x1000, user: false }],
    },
    registers: { rax: 0x7bn },
    tried: "mov es, eax",
    state: "= es.selector 0x7b\n= es.access 0xc0f3\n= mem 0x107d u8 0xf3",
  },
  // A bit offset has the operand's size, and a sign: this bit lies before the operand.
  "bit-before-16": bitBefore("bts [rbx], cx", 0xffffn, 0xa00e, 2),
  "bit-before-32": bitBefore("bts [rbx], ecx", 0xffffffffn, 0xa00c, 4),
  "bit-before-64": bitBefore("bts [rbx], rcx", 0xffffffffffffffffn, 0xa008, 8),
  // UMIP is for CPL 3.
  "sgdt-with-umip": withUmip("sgdt [0xb000]", "= mem 0xb000 u16 [0xff 0x1000 0x0 0x0 0x0]"),
  "sidt-with-umip": withUmip("sidt [0xb000]", "= mem 0xb000 u16 [0xfff 0x2000 0x0 0x0 0x0]"),
  "sldt-with-umip": withUmip("sldt ebx", ""),
  "str-with-umip": withUmip("str ebx", "= rbx 0x68"),
  "smsw-with-umip": withUmip("smsw ebx", "= rbx 0x80010031"),
  // 24 bits of base.
  "lgdt-16-bit-operand": {
    mode: "protected",
    memory: { 0xa000: [0xff, 0x00, 0x00, 0x10, 0x00, 0x7f] },
    tried: "db 0x66\nlgdt [0xa000]",
  },
  "lidt-16-bit-operand": {
    mode: "protected",
    memory: { 0xa000: [0xfe, 0x01, 0x00, 0x20, 0x01, 0x7f] },
    tried: "db 0x66\nlidt [0xa000]",
    state: "= idt.base 0x12000\n= idt.limit 0x1fe",
  },
  "lgdt-not-canonical": {
    memory: { 0xa000: [0xff, 0x00, 0, 0, 0, 0, 0, 0, 0, 0x80] },
    tried: "lgdt [0xa000]",
    fault: { vector: GP, error: 0 },
  },
  "lidt-not-canonical": {
    memory: { 0xa000: [0xff, 0x00, 0, 0, 0, 0, 0, 0, 0, 0x40] },
    tried: "lidt [0xa000]",
    fault: { vector: GP, error: 0 },
  },
  // Protected mode alone has them.
  "sldt-real": { mode: "real", tried: "db 0x0f, 0x00, 0xc0", fault: { vector: UD } },
  "str-real": { mode: "real", tried: "db 0x0f, 0x00, 0xc8", fault: { vector: UD } },
  "lldt-real": { mode: "real", tried: "db 0x0f, 0x00, 0xd0", fault: { vector: UD } },
  "ltr-real": { mode: "real", tried: "db 0x0f, 0x00, 0xd8", fault: { vector: UD } },
};

/** The operand is at 0xa010; the bit is the last one of `size` bytes at `at`. */
function bitBefore(tried: string, rcx: bigint, at: number, size: number): Try {
  return {
    registers: { rbx: 0xa010n, rcx },
    memory: { [at]: Array<number>(size).fill(0) },
    tried,
    state: `= mem 0x${(at + size - 1).toString(16)} u8 0x80\n= rflags *`,
  };
}

function withUmip(tried: string, state: string): Try {
  return { machine: { cr4: { set: 0x800n } }, requires: [{ cpuid: "UMIP" }], tried, state };
}

function stack(tried: string): Try {
  return {
    machine: { map: [{ virtual: 0xc000, physical: 0xc000, present: false }] },
    registers: { rsp: 0xc000n },
    tried,
    fault: { vector: PF, error: 0, rsp: 0xc000 },
    state: "= cr2 0xc000",
  };
}

/** System calls of each vendor in each mode, and instructions that end in a fault or an exit. */
export default defineCases("emulate/system-call", forced(rows), ({ row, way }) => ({
  spec: [
    "SDM 2B: SYSCALL, SYSENTER, SYSEXIT; APM 3: SYSCALL, SYSENTER",
    "SDM 2: each instruction's exceptions",
  ],
  ...tryOne(row, way),
}));
