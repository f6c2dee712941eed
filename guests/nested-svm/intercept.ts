import { asm, defineCases, type Requirement } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import {
  type Intercepts,
  machine,
  report,
  reported,
  requires,
  run,
  VMCB,
  vmcb,
  written,
} from "./_vmcb.ts";

interface Row {
  instruction: string;
  intercepts: Intercepts;
  code: number;
  first?: bigint | "*";
  second?: bigint | "*";
  /** What the guest does before, on lines of their own. */
  before?: string;
  /** It is not intercepted: the VMMCALL behind it is. */
  passes?: true;
  /** It has come to its end. */
  trap?: true;
  /** DR6 as the hypervisor finds it. */
  status?: bigint;
  requires?: readonly Requirement[];
}

const first = (bit: number): Intercepts => ({ first: (1 << bit) >>> 0 });
const second = (bit: number): Intercepts => ({ second: 1 << bit });
const [UD, PF, GP, DE, NP, SS, DB, NM] = [6, 14, 13, 0, 11, 12, 1, 7];
/** CR0 as it is, but for one bit. */
const toggled = (bit: number) => `mov rax, cr0\nbtc rax, ${bit}`;

const rows: Record<string, Row> = {
  hlt: { instruction: "hlt", intercepts: first(24), code: 0x78 },
  cpuid: { instruction: "cpuid", intercepts: first(18), code: 0x72 },
  rdtsc: { instruction: "rdtsc", intercepts: first(14), code: 0x6e },
  pushf: { instruction: "pushfq", intercepts: first(16), code: 0x70 },
  popf: { instruction: "popfq", intercepts: first(17), code: 0x71 },
  iret: { instruction: "iretq", intercepts: first(20), code: 0x74 },
  invd: { instruction: "invd", intercepts: first(22), code: 0x76 },
  invlpg: { instruction: "invlpg [0xa000]", intercepts: first(25), code: 0x79, first: "*" },
  "read-idtr": { instruction: "sidt [0xa000]", intercepts: first(6), code: 0x66 },
  "read-gdtr": { instruction: "sgdt [0xa000]", intercepts: first(7), code: 0x67 },
  "read-ldtr": { instruction: "sldt eax", intercepts: first(8), code: 0x68 },
  "read-tr": { instruction: "str eax", intercepts: first(9), code: 0x69 },
  "write-idtr": { instruction: "lidt [0xa000]", intercepts: first(10), code: 0x6a },
  "write-gdtr": { instruction: "lgdt [0xa000]", intercepts: first(11), code: 0x6b },
  "write-ldtr": { instruction: "lldt ax", intercepts: first(12), code: 0x6c },
  "write-tr": { instruction: "ltr ax", intercepts: first(13), code: 0x6d },
  vmmcall: { instruction: "vmmcall", intercepts: second(1), code: 0x81 },
  vmload: { instruction: "vmload", intercepts: second(2), code: 0x82 },
  vmsave: { instruction: "vmsave", intercepts: second(3), code: 0x83 },
  stgi: { instruction: "stgi", intercepts: second(4), code: 0x84 },
  clgi: { instruction: "clgi", intercepts: second(5), code: 0x85 },
  vmrun: { instruction: "vmrun", intercepts: {}, code: 0x80 },
  wbinvd: { instruction: "wbinvd", intercepts: second(9), code: 0x89 },
  "read-cr0": { instruction: "mov rax, cr0", intercepts: { cr: 1 }, code: 0x0, first: "*" },
  "read-cr3": { instruction: "mov rax, cr3", intercepts: { cr: 8 }, code: 0x3, first: "*" },
  "read-cr4": { instruction: "mov rax, cr4", intercepts: { cr: 0x10 }, code: 0x4, first: "*" },
  "write-cr0": { instruction: "mov cr0, rax", intercepts: { cr: 0x10000 }, code: 0x10, first: "*" },
  "write-cr3": { instruction: "mov cr3, rax", intercepts: { cr: 0x80000 }, code: 0x13, first: "*" },
  "write-cr4": {
    instruction: "mov cr4, rax",
    intercepts: { cr: 0x100000 },
    code: 0x14,
    first: "*",
  },
  "read-dr0": { instruction: "mov rax, dr0", intercepts: { dr: 1 }, code: 0x20, first: "*" },
  "write-dr7": {
    instruction: "mov dr7, rax",
    intercepts: { dr: 0x800000 },
    code: 0x37,
    first: "*",
  },
  "read-cr2": { instruction: "mov rax, cr2", intercepts: { cr: 4 }, code: 0x2, first: "*" },
  "write-cr2": { instruction: "mov cr2, rax", intercepts: { cr: 0x40000 }, code: 0x12, first: "*" },
  "read-cr8": { instruction: "mov rax, cr8", intercepts: { cr: 0x100 }, code: 0x8, first: "*" },
  "write-cr8": {
    instruction: "mov cr8, rax",
    intercepts: { cr: 0x1000000 },
    code: 0x18,
    first: "*",
  },
  // Other ways to CR0.
  clts: { instruction: "clts", intercepts: { cr: 0x10000 }, code: 0x10, first: "*" },
  lmsw: { instruction: "lmsw ax", intercepts: { cr: 0x10000 }, code: 0x10, first: "*" },
  smsw: { instruction: "smsw eax", intercepts: { cr: 1 }, code: 0x0, first: "*" },
  // Only a change of other bits than TS and MP.
  "cr0-selective": {
    before: toggled(18),
    instruction: "mov cr0, rax",
    intercepts: first(5),
    code: 0x65,
    first: "*",
  },
  "cr0-selective-lmsw": {
    before: "smsw eax",
    instruction: "lmsw ax",
    intercepts: first(5),
    code: 0x65,
    first: "*",
  },
  "cr0-selective-ts": {
    before: toggled(3),
    instruction: "mov cr0, rax",
    intercepts: first(5),
    code: 0x81,
    passes: true,
  },
  "cr0-selective-mp": {
    before: toggled(1),
    instruction: "mov cr0, rax",
    intercepts: first(5),
    code: 0x81,
    passes: true,
  },
  "cr0-selective-clts": {
    instruction: "clts",
    intercepts: first(5),
    code: 0x81,
    passes: true,
  },
  "cr0-both": {
    before: toggled(18),
    instruction: "mov cr0, rax",
    intercepts: { first: 1 << 5, cr: 0x10000 },
    code: 0x10,
    first: "*",
  },
  "other-cr-not-selective": {
    before: "mov rax, cr4",
    instruction: "mov cr4, rax",
    intercepts: first(5),
    code: 0x81,
    passes: true,
  },
  "read-dr6": { instruction: "mov rax, dr6", intercepts: { dr: 0x40 }, code: 0x26, first: "*" },
  "read-dr7": { instruction: "mov rax, dr7", intercepts: { dr: 0x80 }, code: 0x27, first: "*" },
  "write-dr0": {
    instruction: "mov dr0, rax",
    intercepts: { dr: 0x10000 },
    code: 0x30,
    first: "*",
  },
  "write-dr3": {
    instruction: "mov dr3, rax",
    intercepts: { dr: 0x80000 },
    code: 0x33,
    first: "*",
  },
  "read-dr-other": {
    instruction: "mov rax, dr1",
    intercepts: { dr: 0xfffd },
    code: 0x81,
    passes: true,
  },
  rdtscp: { instruction: "rdtscp", intercepts: second(7), code: 0x87 },
  rdpmc: { instruction: "rdpmc", intercepts: first(15), code: 0x6f },
  pause: { instruction: "pause", intercepts: first(23), code: 0x77 },
  "nop-is-no-pause": { instruction: "nop", intercepts: first(23), code: 0x81, passes: true },
  "int-n": { instruction: "int 0x30", intercepts: first(21), code: 0x75 },
  "int-1": { instruction: "db 0xf1", intercepts: second(8), code: 0x88 },
  monitor: { instruction: "monitor", intercepts: second(10), code: 0x8a },
  mwait: { instruction: "mwait", intercepts: second(11), code: 0x8b },
  invlpga: { instruction: "invlpga", intercepts: first(26), code: 0x7a },
  "segment-not-present": {
    instruction: "mov ds, edi",
    intercepts: { exceptions: 1 << NP },
    code: 0x40 + NP,
    first: 0x80n,
  },
  "stack-not-present": {
    instruction: "mov ss, edi",
    intercepts: { exceptions: 1 << SS },
    code: 0x40 + SS,
    first: 0x80n,
  },
  "undefined-instruction": {
    instruction: "ud2",
    intercepts: { exceptions: 1 << UD },
    code: 0x40 + UD,
  },
  "divide-error": {
    instruction: "div ecx",
    intercepts: { exceptions: 1 << DE },
    code: 0x40 + DE,
  },
  "general-protection": {
    instruction: "mov ds, ebp",
    intercepts: { exceptions: 1 << GP },
    code: 0x40 + GP,
    first: 0x100n,
  },
  "device-not-available": {
    before: `${toggled(3)}\nmov cr0, rax`,
    instruction: "fninit",
    intercepts: { exceptions: 1 << NM },
    code: 0x40 + NM,
  },
  // DR6 tells why.
  "single-step": {
    before: "push 0x102\npopfq",
    instruction: "nop",
    intercepts: { exceptions: 1 << DB },
    code: 0x40 + DB,
    trap: true,
    status: 0xffff4ff0n,
  },
  // DR7.GD is clear as for a handler.
  "general-detect": {
    before: "mov eax, 0x2400\nmov dr7, rax",
    instruction: "mov rax, dr0",
    intercepts: { exceptions: 1 << DB },
    code: 0x40 + DB,
    status: 0xffff2ff0n,
  },
  "instruction-breakpoint": {
    before: "mov eax, at\nmov dr1, rax\nmov eax, 0x404\nmov dr7, rax",
    instruction: "nop",
    intercepts: { exceptions: 1 << DB },
    code: 0x40 + DB,
    status: 0xffff0ff2n,
    requires: [{
      notEmulatedBy: "qemu-tcg",
      because: "it leaves a nested guest's breakpoint armed for whoever comes next",
    }],
  },
  // Error code and address.
  "page-fault": {
    instruction: "mov [0xd123], al",
    intercepts: { exceptions: 1 << PF },
    code: 0x40 + PF,
    first: 2n,
    second: 0xd123n,
  },
};

/** DR7 and DR6 in the VMCB. */
const statusOf = ({ before, status }: Row) =>
  `= mem 0xb560 u64 [${before?.includes("0x404") ? "0x404" : "0x400"} 0x${
    status!.toString(16)
  }]\n= dr6 *`;

const cases = inBothWays(rows);
// The prefix is an undefined instruction itself, and where there is no PMU a #GP comes first.
delete cases["undefined-instruction-forced"];
// QEMU knows no general detect.
delete cases["general-detect"];
// The breakpoint is met before the prefix; what is stepped is the prefix and the instruction.
delete cases["instruction-breakpoint-forced"];
delete cases["single-step-forced"];
delete cases["rdpmc-forced"];

/** What the hypervisor intercepts comes back to it at the instruction, with code and information. */
export default defineCases("nested-svm/intercept", cases, ({ row, way }) => ({
  spec: ["APM 2 15.7 to 15.12: intercepts", "APM 2 appendix C: SVM intercept exit codes"],
  mode: "long",
  requires: [...requires, ...way.requires, ...(row.requires ?? [])],
  machine: {
    ...machine,
    map: [{ virtual: 0xd000, physical: 0xd000, present: false }],
    // Data that is not present.
    descriptors: { 0x80: 0x00cf12000000ffffn },
  },
  registers: { rbp: 0x100n, rdi: 0x80n },
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.before ?? ""}
    ${way.prefix}
    at:
    ${row.instruction}
    behind:
    vmmcall
  `,
  drive: ({ write, labels }) =>
    write(
      VMCB,
      vmcb({
        ...row.intercepts,
        second: (row.intercepts.second ?? 0) | 2,
        rip: labels.get("nested")!,
      }),
    ),
  trace: ({ at, behind }) => `
    ${reported(row.code, row.first, row.second, row.passes || row.trap ? behind : at)}
    hlt
    = rflags 0x46
    ${row.status === undefined ? "" : statusOf(row)}
    ${row.before?.includes("dr1") ? `= dr1 ${at}` : ""}
    ${row.before?.includes("popfq") ? "= mem 0x7bf8 u64 0x102" : ""}
    ${written}
  `,
}));
