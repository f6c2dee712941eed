import { defineCases } from "../../mod.ts";
import { forced } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [DB, UD, GP] = [1, 6, 13];
const user = { privilege: 3 } as const;
const userPMC = { privilege: 3, cr4: { set: 0x100n } } as const;

/** What comes before makes RBX, RCX and RDX what they are. */
const rows: Record<string, Try> = {
  // Each instruction's own result; that of CPUID is what it gives when hardware runs it.
  "cpuid": {
    before: `
      mov eax, 1
      xor ecx, ecx
      cpuid
      mov [0xb000], eax
      mov [0xb004], ecx
      mov [0xb008], edx
      mov rax, 0xffffffff00000001
      mov rbx, -1
      mov rcx, 0xffffffff00000000
      mov rdx, -1`,
    tried: "cpuid",
    behind: `
      xor [0xb000], rax
      mov [0xb010], ecx
      mov [0xb014], edx
      mov rax, [0xb010]
      xor [0xb004], rax
      mov qword [0xb010], 0
      shr rbx, 32
      shr rcx, 32
      shr rdx, 32
      xor eax, eax`,
    // The upper half of the first word is the lower half of the second, so both are 0.
    state: "= rbx 0x0\n= rcx 0x0\n= rdx 0x0\n= rflags 0x46\n= mem 0xb000 u64 [0x0 0x0]",
  },
  "rdtsc": {
    before: "rdtsc\nshl rdx, 32\nor rax, rdx\nmov rbx, rax\nmov rax, -1\nmov rdx, -1",
    tried: "rdtsc",
    behind: `
      shl rdx, 32
      mov rsi, rax
      or rax, rdx
      mov rdi, rax
      rdtsc
      shl rdx, 32
      or rax, rdx
      cmp rbx, rdi
      seta cl
      cmp rdi, rax
      seta ch
      shr rsi, 32
      xor eax, eax
      xor ebx, ebx
      xor edx, edx
      xor edi, edi`,
    state: "= rflags 0x46",
  },
  "rdtsc-disabled-at-0": {
    machine: { cr4: { set: 0x4n } },
    tried: "rdtsc",
    behind: "xor eax, eax\nxor edx, edx",
    state: "= rflags 0x46",
  },
  "rdtsc-at-3": {
    machine: user,
    tried: "rdtsc",
    behind: "xor eax, eax\nxor edx, edx",
    state: "= rflags 0x46",
  },
  "rdpid": {
    requires: [{ cpuid: "RDPID" }],
    before:
      "mov ecx, 0xc0000103\nmov eax, 0x11223344\nxor edx, edx\nwrmsr\nxor ecx, ecx\nxor eax, eax\nmov rbx, -1",
    tried: "db 0xf3, 0x0f, 0xc7, 0xfb",
    state: "= rbx 0x11223344\n= rflags 0x46\n= msr.0xc0000103 0x11223344",
  },
  "pause": { tried: "db 0xf3, 0x90" },
  "prefetch": { tried: "db 0x0f, 0x0d, 0x07" },
  "prefetch-not-canonical": {
    registers: { rdi: 0x800000000000n },
    tried: "db 0x0f, 0x18, 0x07",
  },
  "no-operation-of-memory": {
    registers: { rdi: 0x800000000000n },
    tried: "db 0x0f, 0x1f, 0x07",
  },
  "clflush-user": { machine: user, tried: "clflush [0xa000]" },
  "clflushopt": { tried: "db 0x66, 0x0f, 0xae, 0x3c, 0x25, 0, 0xa0, 0, 0" },
  "clflush-not-canonical": {
    registers: { rdi: 0x800000000000n },
    tried: "clflush [rdi]",
    fault: { vector: GP, error: 0 },
  },
  "clflush-not-present": {
    machine: { map: [{ virtual: 0xc000, physical: 0xc000, present: false }] },
    tried: "clflush [0xc010]",
    fault: { vector: 14, error: 0 },
    state: "= cr2 0xc010",
  },
  "invlpg-register": { tried: "db 0x0f, 0x01, 0xff", fault: { vector: UD } },
  // An address that is not canonical is none that could be invalidated.
  "invlpg-not-canonical": { registers: { rdi: 0x800000000000n }, tried: "invlpg [rdi]" },
  "sldt-user": { machine: user, tried: "sldt ebx", state: "" },
  "lahf": { machine: { rflags: { set: 0x8d7n } }, tried: "lahf", state: "= rax 0xd700" },
  "mov-to-cr2": {
    registers: { rbx: 0x8123456789abn },
    tried: "mov cr2, rbx",
    state: "= cr2 0x8123456789ab",
  },
  "mov-from-cr2": {
    before: "mov rbx, 0x123456789abc\nmov cr2, rbx",
    tried: "mov rax, cr2",
    state: "= rax 0x123456789abc\n= rbx 0x123456789abc\n= cr2 0x123456789abc",
  },
  "mov-cr-of-no-register": {
    // The upper bits of ModRM do not count.
    tried: "db 0x0f, 0x20, 0x03",
    state: "= rbx 0x80010031",
  },
  "mov-cr-16-bit-operand": { tried: "db 0x66, 0x0f, 0x20, 0xc3", state: "= rbx 0x80010031" },
  "mov-to-cr8-by-rex": {
    registers: { rbx: 0x7n },
    tried: "db 0x44, 0x0f, 0x22, 0xc3",
    state: "= cr8 0x7",
  },
  "protected-mov-from-cr0": {
    mode: "protected",
    tried: "mov ebx, cr0",
    state: "= rbx 0x31",
  },
  "protected-mov-from-dr7": { mode: "protected", tried: "mov ebx, dr7", state: "= rbx 0x400" },
  "protected-mov-to-dr3": {
    mode: "protected",
    registers: { rbx: 0x12345678n },
    tried: "mov dr3, ebx",
    state: "= dr3 0x12345678",
  },
  // Without CR4.DE numbers 4 and 5 are 6 and 7.
  "mov-from-dr5": { tried: "mov rbx, dr5", state: "= rbx 0x400" },
  "mov-from-dr4": { tried: "mov rbx, dr4", state: "= rbx 0xffff0ff0" },
  "mov-to-dr5-with-de": {
    machine: { cr4: { set: 0x8n } },
    tried: "mov dr5, rbx",
    fault: { vector: UD },
  },
  "mov-to-dr6-high": {
    registers: { rbx: 0x100000000n },
    tried: "mov dr6, rbx",
    fault: { vector: GP, error: 0 },
  },
  "mov-from-dr8": { tried: "db 0x44, 0x0f, 0x21, 0xc0", fault: { vector: UD } },
  // DR7.GD: #DB, and what DR7 and DR6 say in the handler.
  "general-detect-read": {
    before: "mov eax, 0x2400\nmov dr7, rax",
    tried: "mov rbx, dr0",
    fault: { vector: DB },
    state: "= rax 0x2400\n= dr6 0xffff2ff0",
  },
  "general-detect-write": {
    before: "mov eax, 0x2400\nmov dr7, rax",
    tried: "mov dr1, rax",
    fault: { vector: DB },
    state: "= rax 0x2400\n= dr6 0xffff2ff0",
  },
  "rdpmc-nowhere": {
    registers: { rcx: 0x12345n },
    tried: "rdpmc",
    fault: { vector: GP, error: 0 },
  },
  "rdpmc-nowhere-at-3": {
    machine: userPMC,
    before: "mov ecx, 0x12345",
    tried: "rdpmc",
    fault: { vector: GP, error: 0 },
  },
  "xsetbv": {
    requires: [{ cpuid: "XSAVE" }],
    machine: { cr4: { set: 0x40000n } },
    registers: { rax: 0x3n },
    tried: "xsetbv",
    behind: "xor eax, eax\nxor ecx, ecx\nxgetbv",
    state: "= rax 0x3\n= rflags 0x46",
  },
  "xsetbv-not-enabled": { registers: { rax: 1n }, tried: "xsetbv", fault: { vector: UD } },
  // Bit 0, the x87 state, cannot be off; there is no XCR1.
  "xsetbv-without-x87": {
    requires: [{ cpuid: "XSAVE" }],
    machine: { cr4: { set: 0x40000n } },
    registers: { rax: 0x2n },
    tried: "xsetbv",
    fault: { vector: GP, error: 0 },
  },
  "xsetbv-1": {
    requires: [{ cpuid: "XSAVE" }],
    machine: { cr4: { set: 0x40000n } },
    registers: { rax: 0x1n, rcx: 0x1n },
    tried: "xsetbv",
    fault: { vector: GP, error: 0 },
    state: "",
  },
  "xsetbv-high": {
    requires: [{ cpuid: "XSAVE" }],
    machine: { cr4: { set: 0x40000n } },
    registers: { rax: 0x1n, rdx: 0x80000000n },
    tried: "xsetbv",
    fault: { vector: GP, error: 0 },
  },
  "xsetbv-user": {
    requires: [{ cpuid: "XSAVE" }],
    machine: { privilege: 3, cr4: { set: 0x40000n } },
    before: "mov eax, 1\nxor ecx, ecx",
    tried: "xsetbv",
    fault: { vector: GP, error: 0, flags: 0x46 },
    state: "= rax 0x1\n= rflags 0x46",
  },
  // SVM's instructions without EFER.SVME.
  "vmload": { tried: "db 0x0f, 0x01, 0xda", fault: { vector: UD } },
  "vmsave": { tried: "db 0x0f, 0x01, 0xdb", fault: { vector: UD } },
  "vmrun": { tried: "db 0x0f, 0x01, 0xd8", fault: { vector: UD } },
  "stgi": { tried: "db 0x0f, 0x01, 0xdc", fault: { vector: UD } },
  "clgi": { tried: "db 0x0f, 0x01, 0xdd", fault: { vector: UD } },
  "invlpga": { tried: "db 0x0f, 0x01, 0xdf", fault: { vector: UD } },
  // Only what interrupts system management mode ends it.
  "rsm": { tried: "db 0x0f, 0xaa", fault: { vector: UD } },
  "undefined-group-5": { tried: "db 0xff, 0xff", fault: { vector: UD } },
  "undefined-group-4": { tried: "db 0xfe, 0xd0", fault: { vector: UD } },
  "undefined-group-6": { tried: "db 0x0f, 0x00, 0xf0", fault: { vector: UD } },
  "undefined-group-7": { tried: "db 0x0f, 0x01, 0x28", fault: { vector: UD } },
  "undefined-group-8": { tried: "db 0x0f, 0xba, 0xc0, 0x01", fault: { vector: UD } },
  "undefined-group-1a": { tried: "db 0x8f, 0xc8", fault: { vector: UD } },
  "ud2": { tried: "ud2", fault: { vector: UD } },
  "into": { tried: "db 0xce", fault: { vector: UD } },
  "no-push-ss": { tried: "db 0x16", fault: { vector: UD } },
  "no-pop-ss": { tried: "db 0x17", fault: { vector: UD } },
  "no-push-ds": { tried: "db 0x1e", fault: { vector: UD } },
  "no-pop-ds": { tried: "db 0x1f", fault: { vector: UD } },
  // The most that there may be.
  "fifteen-bytes": {
    tried:
      "db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90",
  },
  // REX counts right before the opcode alone, and the last of two segment overrides.
  "rex-before-prefix": {
    registers: { rax: 0x1122334455667788n },
    tried: "db 0x48, 0x66, 0x89, 0xc3",
    state: "= rbx 0x7788",
  },
  "rex-behind-prefix": {
    registers: { rax: 0x1122334455667788n },
    tried: "db 0x66, 0x48, 0x89, 0xc3",
    state: "= rbx 0x1122334455667788",
  },
  "two-rex": {
    registers: { rax: 0x1122334455667788n },
    tried: "db 0x48, 0x40, 0x89, 0xc3",
    state: "= rbx 0x55667788",
  },
  "two-segments": {
    memory: { 0xa010: [0x11, 0x22, 0x33, 0x44] },
    before: "mov ecx, 0xc0000100\nmov eax, 0xa000\nxor edx, edx\nwrmsr",
    tried: "db 0x65, 0x64, 0x8b, 0x1c, 0x25, 0x10, 0, 0, 0",
    state: "= rax 0xa000\n= rcx 0xc0000100\n= rbx 0x44332211\n= rflags 0x46\n= fs.base 0xa000",
  },
  // ES, CS, SS and DS name nothing in 64-bit mode, and leave an override that counts as it is.
  "null-segment-behind": {
    memory: { 0xa010: [0x11, 0x22, 0x33, 0x44] },
    before: "mov ecx, 0xc0000100\nmov eax, 0xa000\nxor edx, edx\nwrmsr",
    tried: "db 0x2e, 0x8b, 0x1c, 0x25, 0x10, 0xa0, 0, 0",
    state: "= rax 0xa000\n= rcx 0xc0000100\n= rbx 0x44332211\n= rflags 0x46\n= fs.base 0xa000",
  },
};

/** Instructions of many kinds, and how prefixes add up. */
export default defineCases("emulate/instruction", forced(rows), ({ row, way }) => ({
  spec: [
    "SDM 2: each instruction's operation and exceptions",
    "SDM 2A 2.1.1, 2.2.1: prefixes; 2.3.11: instruction length",
    "SDM 3B 17.2: debug registers",
  ],
  ...tryOne(row, way),
}));
