import { asm, defineCases } from "../../mod.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  afterExits,
  exitFields,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  Processor,
  processor,
  recorded,
  requires,
  Secondary,
  secondary,
} from "./_vmx.ts";

interface Row {
  /** What the nested guest does before it. */
  before?: string;
  code: string;
  fields?: Fields;
  exit: ExpectedExit;
  /** Further fields that are read. */
  reads?: readonly FieldName[];
  state?: string;
  /** Bits of CR4 of both. */
  cr4?: bigint;
}

const when = (bits: number) => ({ processorControls: processor(bits) });
/** Instruction information (SDM 3C 28.2.5) of an operand [rbx] of 64-bit addresses in DS. */
const rbx = 2 << 7 | 3 << 15 | 1 << 22 | 3 << 23;
const base = { before: "mov ebx, 0xf000", state: "= rbx 0xf000" };
const pointer = {
  ...base,
  reads: ["instructionInformation"] as const,
};
/** Qualification of an access to a control register: number, kind, general register. */
const control = (number: number, kind: number, register = 0) => number | kind << 4 | register << 8;

const rows: Record<string, Row> = {
  cpuid: { code: "cpuid", exit: { exitReason: 10 } },
  invd: { code: "invd", exit: { exitReason: 13 } },
  hlt: { code: "hlt", fields: when(Processor.hlt), exit: { exitReason: 12 } },
  invlpg: {
    ...base,
    code: "invlpg [rbx + 0x10]",
    fields: when(Processor.invlpg),
    exit: { exitReason: 14, qualification: 0xf010 },
  },
  rdpmc: { code: "rdpmc", fields: when(Processor.rdpmc), exit: { exitReason: 15 } },
  rdtsc: { code: "rdtsc", fields: when(Processor.rdtsc), exit: { exitReason: 16 } },
  rdtscp: {
    code: "rdtscp",
    fields: secondary(Secondary.rdtscp, Processor.rdtsc),
    exit: { exitReason: 51 },
  },
  mwait: { code: "mwait", fields: when(Processor.mwait), exit: { exitReason: 36 } },
  monitor: { code: "monitor", fields: when(Processor.monitor), exit: { exitReason: 39 } },
  pause: { code: "pause", fields: when(Processor.pause), exit: { exitReason: 40 } },
  wbinvd: { code: "wbinvd", fields: secondary(Secondary.wbinvd), exit: { exitReason: 54 } },
  rdrand: {
    code: "rdrand ecx",
    fields: secondary(Secondary.rdrand),
    reads: ["instructionInformation"],
    // RCX (bits 3 to 6), 32 bits (11 and 12); 7 to 10 are undefined.
    exit: { exitReason: 57, instructionInformation: "0x808|0xc08" },
  },
  xsetbv: { code: "xsetbv", cr4: 0x42020n, exit: { exitReason: 55 } },
  vmcall: { code: "vmcall", exit: { exitReason: 18 } },
  vmclear: {
    ...pointer,
    code: "vmclear [rbx]",
    exit: { exitReason: 19, instructionInformation: rbx },
  },
  vmlaunch: { code: "vmlaunch", exit: { exitReason: 20 } },
  vmptrld: {
    ...pointer,
    code: "vmptrld [rbx + 0x20]",
    exit: { exitReason: 21, qualification: 0x20, instructionInformation: rbx },
  },
  vmptrst: {
    ...pointer,
    code: "vmptrst [rbx - 0x20]",
    exit: { exitReason: 22, qualification: 0xffffffffffffffe0n, instructionInformation: rbx },
  },
  "vmread-register": {
    ...pointer,
    code: "vmread rdx, rbx",
    // A register (bit 10), which is RDX; the second is RBX.
    exit: { exitReason: 23, qualification: "*", instructionInformation: 0x30000410 },
  },
  "vmread-memory": {
    ...pointer,
    code: "vmread [rbx], rcx",
    exit: { exitReason: 23, instructionInformation: rbx | 1 << 28 },
  },
  vmresume: { code: "vmresume", exit: { exitReason: 24 } },
  "vmwrite-memory": {
    ...pointer,
    code: "vmwrite rdx, [rbx]",
    exit: { exitReason: 25, instructionInformation: rbx | 2 << 28 },
  },
  vmxoff: { code: "vmxoff", exit: { exitReason: 26 } },
  vmxon: {
    ...pointer,
    code: "vmxon [rbx]",
    exit: { exitReason: 27, instructionInformation: rbx },
  },
  invept: {
    ...pointer,
    code: "invept rcx, [rbx]",
    exit: { exitReason: 50, instructionInformation: rbx | 1 << 28 },
  },
  invvpid: {
    ...pointer,
    code: "invvpid rdx, [rbx]",
    exit: { exitReason: 53, instructionInformation: rbx | 2 << 28 },
  },
  invpcid: {
    ...pointer,
    code: "invpcid rdx, [rbx]",
    fields: secondary(Secondary.invpcid, Processor.invlpg),
    exit: { exitReason: 58, instructionInformation: rbx | 2 << 28 },
  },
  sgdt: {
    ...pointer,
    code: "sgdt [rbx]",
    fields: secondary(Secondary.descriptorTables),
    exit: { exitReason: 46, instructionInformation: "*" },
  },
  lidt: {
    ...pointer,
    code: "lidt [rbx + 8]",
    fields: secondary(Secondary.descriptorTables),
    exit: { exitReason: 46, qualification: 8, instructionInformation: "*" },
  },
  str: {
    code: "str ecx",
    fields: secondary(Secondary.descriptorTables),
    exit: { exitReason: 47, qualification: "*" },
  },
  lldt: {
    code: "lldt cx",
    fields: secondary(Secondary.descriptorTables),
    exit: { exitReason: 47, qualification: "*" },
  },
  "cr3-write": {
    ...base,
    code: "mov cr3, rbx",
    fields: when(Processor.cr3Load),
    exit: { exitReason: 28, qualification: control(3, 0, 3) },
  },
  "cr3-read": {
    code: "mov r9, cr3",
    fields: when(Processor.cr3Store),
    exit: { exitReason: 28, qualification: control(3, 1, 9) },
  },
  "cr8-write": {
    code: "mov cr8, rdx",
    fields: when(Processor.cr8Load),
    exit: { exitReason: 28, qualification: control(8, 0, 2) },
  },
  "cr8-read": {
    code: "mov rsi, cr8",
    fields: when(Processor.cr8Store),
    exit: { exitReason: 28, qualification: control(8, 1, 6) },
  },
  "cr0-write": {
    before: "mov rdx, cr0\nor edx, 8",
    code: "mov cr0, rdx",
    fields: { cr0Mask: 8, cr0Shadow: 0 },
    exit: { exitReason: 28, qualification: control(0, 0, 2) },
    state: "= rdx 0x80010039",
  },
  // A bit that is masked reads as its shadow.
  "cr0-shadow": {
    before: "mov rdx, cr0",
    code: "cpuid",
    fields: { cr0Mask: 0x2a, cr0Shadow: 0x8 },
    exit: { exitReason: 10 },
    state: "= rdx 0x80010019",
  },
  "cr4-write": {
    before: "mov rdx, cr4\nor edx, 0x80",
    code: "mov cr4, rdx",
    fields: { cr4Mask: 0x80, cr4Shadow: 0 },
    exit: { exitReason: 28, qualification: control(4, 0, 2) },
    state: "= rdx 0x20a0",
  },
  "cr4-shadow": {
    before: "mov rdx, cr4",
    code: "cpuid",
    fields: { cr4Mask: 0x2080, cr4Shadow: 0x80 },
    exit: { exitReason: 10 },
    state: "= rdx 0xa0",
  },
  clts: {
    code: "clts",
    fields: { cr0Mask: 8, cr0Shadow: 8 },
    exit: { exitReason: 28, qualification: control(0, 2) },
  },
  "lmsw-register": {
    before: "mov ebx, 0xb",
    code: "lmsw bx",
    fields: { cr0Mask: 8, cr0Shadow: 0 },
    exit: { exitReason: 28, qualification: 0xb0030 },
    state: "= rbx 0xb",
  },
  "lmsw-set-pe": {
    before: "mov ebx, 1",
    code: "lmsw bx",
    fields: { cr0Mask: 1, cr0Shadow: 0 },
    exit: { exitReason: 28, qualification: 0x10030 },
    state: "= rbx 0x1",
  },
  "dr7-write": {
    code: "mov dr7, rcx",
    fields: when(Processor.movDr),
    exit: { exitReason: 29, qualification: 7 | 1 << 8 },
  },
  "dr6-read": {
    code: "mov r10, dr6",
    fields: when(Processor.movDr),
    exit: { exitReason: 29, qualification: 6 | 1 << 4 | 10 << 8 },
  },
  "rdmsr-no-bitmap": {
    before: "mov ecx, 0x174",
    code: "rdmsr",
    exit: { exitReason: 31 },
    state: "= rcx 0x174",
  },
  "wrmsr-no-bitmap": {
    before: "mov ecx, 0x174",
    code: "wrmsr",
    exit: { exitReason: 32 },
    state: "= rcx 0x174",
  },
};

const ports: Record<string, readonly [code: string, qualification: number, before?: string]> = {
  "in-byte-immediate": ["in al, 0x42", 0x420048],
  "in-word-immediate": ["in ax, 0x42", 0x420049],
  "in-dword-immediate": ["in eax, 0x42", 0x42004b],
  "out-byte-immediate": ["out 0x42, al", 0x420040],
  "out-dword-immediate": ["out 0x42, eax", 0x420043],
  "in-byte": ["in al, dx", 0x12340008, "mov edx, 0x1234"],
  "out-word": ["out dx, ax", 0x12340001, "mov edx, 0x1234"],
  "out-dword": ["out dx, eax", 0x12340003, "mov edx, 0x1234"],
  "string-in": ["insb", 0x12340018, "mov edx, 0x1234"],
  "string-out": ["outsd", 0x12340013, "mov edx, 0x1234"],
  "repeated-string-in": ["rep insw", 0x12340039, "mov edx, 0x1234\nmov ecx, 3"],
};
for (const [name, [code, qualification, before = ""]] of Object.entries(ports)) {
  rows[name] = {
    before,
    code,
    fields: when(Processor.io),
    exit: { exitReason: 30, qualification },
    state: `${before.includes("edx") ? "= rdx 0x1234" : ""}
      ${before.includes("ecx") ? "= rcx 0x3" : ""}`,
  };
}

/** Each instruction that a hypervisor can ask to be told of leaves the guest before it is executed. */
export default defineCases("nested-vmx/instruction-exit", rows, (row) => {
  const reads = [...exitFields, ...row.reads ?? []];
  return {
    spec: [
      "SDM 3C 26.1: instructions that cause VM exits",
      "SDM 3C 28.2: recording exit information",
    ],
    mode: "long",
    requires,
    machine: row.cr4 === undefined ? machine : { cr4: { set: row.cr4 } },
    guest: asm`
      ${hypervisor()}
      nested:
      ${row.before ?? ""}
      at:
      ${row.code}
      behind:
      out 0xee, al
    `,
    drive: (context) => {
      prepare(context, { fields: row.fields, reads, cr4: row.cr4 });
      context.run();
    },
    trace: ({ at, behind }) => {
      const instructionLength = Number(behind) - Number(at);
      return `
        hlt
        ${recorded([{ guestRip: at, instructionLength, ...row.exit }], reads)}
        ${row.state ?? ""}
        ${afterExits}
      `;
    },
  };
});
