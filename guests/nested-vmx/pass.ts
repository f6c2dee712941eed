import { asm, defineCases } from "../../mod.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  afterExits,
  exitFields,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  recorded,
  requires,
  Secondary,
  secondary,
} from "./_vmx.ts";

interface Row {
  code: string;
  fields?: Fields;
  reads?: readonly FieldName[];
  /** What the guest's state is at its VMCALL. */
  exit?: ExpectedExit;
  state?: string;
  /** An exception that the instruction makes, in the guest. */
  vector?: number;
}

const rows: Record<string, Row> = {
  invlpg: { code: "invlpg [0xf000]" },
  rdtsc: { code: "rdtsc\nxor eax, eax\nxor edx, edx", reads: [] },
  "mov-to-cr3": {
    code: "mov rbx, 0x10000\nmov cr3, rbx",
    reads: ["guestCr3"],
    exit: { guestCr3: 0x10000 },
    state: "= rbx 0x10000",
  },
  "mov-from-cr3": { code: "mov rbx, cr3", state: "= rbx 0x10000" },
  // The bit is the hypervisor's, and what is written is what the shadow says.
  "cr0-masked-same": {
    code: "mov rbx, cr0\nmov cr0, rbx",
    fields: { cr0Mask: 0x28, cr0Shadow: 8 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x80010031 },
    state: "= rbx 0x80010019",
  },
  "cr0-not-masked": {
    code: "mov rbx, cr0\nor ebx, 0xa\nmov cr0, rbx",
    fields: { cr0Mask: 0x20, cr0Shadow: 0x20 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x8001003b },
    state: "= rbx 0x8001003b",
  },
  // The masked bit is not what the shadow says, and the write changes neither.
  "cr0-shadow-differs": {
    code: "mov rbx, cr0\nor ebx, 2\nmov cr0, rbx\nmov rcx, cr0",
    fields: { cr0Mask: 0x20, cr0Shadow: 0 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x80010033 },
    state: "= rbx 0x80010013\n= rcx 0x80010013",
  },
  "cr4-shadow-differs": {
    code: "mov rbx, cr4\nor ebx, 0x10\nmov cr4, rbx\nmov rcx, cr4",
    fields: { cr4Mask: 0x2004, cr4Shadow: 4 },
    reads: ["guestCr4"],
    exit: { guestCr4: 0x2030 },
    state: "= rbx 0x34\n= rcx 0x34",
  },
  "cr4-masked-same": {
    code: "mov rbx, cr4\nmov cr4, rbx",
    fields: { cr4Mask: 0x2004, cr4Shadow: 4 },
    reads: ["guestCr4"],
    exit: { guestCr4: 0x2020 },
    state: "= rbx 0x24",
  },
  "cr4-not-masked": {
    code: "mov rbx, cr4\nor ebx, 0x680\nmov cr4, rbx",
    fields: { cr4Mask: 0x2000, cr4Shadow: 0 },
    reads: ["guestCr4"],
    exit: { guestCr4: 0x26a0 },
    state: "= rbx 0x6a0",
  },
  clts: {
    code: "clts",
    fields: { guestCr0: 0x80010039 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x80010031 },
  },
  // TS is the hypervisor's, and clear already as the guest sees it.
  "clts-masked-clear": {
    code: "clts",
    fields: { guestCr0: 0x80010039, cr0Mask: 8, cr0Shadow: 0 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x80010039 },
  },
  lmsw: {
    code: "mov ebx, 0xb\nlmsw bx",
    fields: { cr0Mask: 0x20, cr0Shadow: 0x20 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x8001003b },
    state: "= rbx 0xb",
  },
  // Only bits 0 to 3 count, and PE cannot be cleared.
  "lmsw-masked-same": {
    code: "mov ebx, 0xfff2\nlmsw bx",
    fields: { guestCr0: 0x80010033, cr0Mask: 0xf, cr0Shadow: 0x3 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x80010033 },
    state: "= rbx 0xfff2",
  },
  // PE is the hypervisor's and set: to clear it is no attempt that counts. MP is the guest's.
  "lmsw-protection-ignored": {
    code: "mov ebx, 2\nlmsw bx",
    fields: { cr0Mask: 1, cr0Shadow: 1 },
    reads: ["guestCr0"],
    exit: { guestCr0: 0x80010033 },
    state: "= rbx 0x2",
  },
  // Without a TPR shadow the task priority is the hypervisor's.
  cr8: {
    code: "mov ebx, 7\nmov cr8, rbx\nmov rcx, cr8",
    state: `= rbx 0x7
      = rcx 0x7
      = cr8 0x7`,
  },
  dr: {
    code: "mov ebx, 0xf000\nmov dr2, rbx\nmov rcx, dr2",
    state: `= rbx 0xf000
      = rcx 0xf000
      = dr2 0xf000`,
  },
  dr7: {
    code: "mov ebx, 0x455\nmov dr7, rbx",
    reads: ["guestDr7"],
    exit: { guestDr7: 0x455 },
    state: "= rbx 0x455",
  },
  pause: { code: "pause" },
  wbinvd: { code: "wbinvd" },
  sgdt: { code: "sgdt [0xf000]", state: "= mem 0xf000 u16 [0xff 0x1000 0x0 0x0 0x0]" },
  lidt: {
    code: "lidt [0xf000]",
    reads: ["guestIdtrLimit", "guestIdtrBase"],
    exit: { guestIdtrLimit: 0, guestIdtrBase: 0 },
  },
  str: { code: "str ebx", state: "= rbx 0x68" },
  lldt: {
    code: "xor ebx, ebx\nlldt bx",
    reads: ["guestLdtr", "guestRflags"],
    exit: { guestRflags: 0x46 },
  },
  rdtscp: {
    code: "rdtscp\nxor eax, eax\nxor edx, edx",
    fields: secondary(Secondary.rdtscp),
    reads: [],
  },
  "rdtscp-disabled": { code: "fault:\nrdtscp", vector: 6 },
  "invpcid-disabled": { code: "fault:\ninvpcid rcx, [0xf000]", vector: 6 },
  "rdrand-not-asked": {
    code: "rdrand rbx\nmov ebx, 0",
    reads: ["guestRflags"],
    exit: { guestRflags: 3 },
  },
  "vmfunc-disabled": { code: "fault:\nvmfunc", vector: 6 },
  "exception-not-asked": {
    code: "fault:\nud2",
    fields: { exceptionBitmap: 0xffffffbf },
    vector: 6,
  },
  "breakpoint-not-asked": {
    code: "int3\nfault:",
    fields: { exceptionBitmap: 0xfffffff7 },
    vector: 3,
  },
  // No exception: the bitmap is not looked at.
  "software-interrupt": {
    code: "int 13\nfault:",
    fields: { exceptionBitmap: 0xffffffff },
    vector: 13,
  },
  port: { code: "out 0x42, al" },
  "secondary-not-active": {
    code: "wbinvd\nsgdt [0xf000]",
    fields: { secondaryControls: Secondary.wbinvd | Secondary.descriptorTables },
    state: "= mem 0xf000 u16 [0xff 0x1000 0x0 0x0 0x0]",
  },
};

/** What a hypervisor does not ask for stays in its guest, which is where the effect is. */
export default defineCases("nested-vmx/pass", rows, (row) => {
  const reads = [...exitFields, ...row.reads ?? ["guestRflags"] as const];
  return {
    spec: [
      "SDM 3C 26.1.3: instructions that cause VM exits conditionally",
      "SDM 3C 26.3: changes to instruction behavior in VMX non-root operation",
    ],
    mode: "long",
    requires,
    machine,
    ...(row.vector !== undefined && { handlers: { [row.vector]: "handler" } }),
    guest: asm`
      ${hypervisor()}
      nested:
      ${row.code}
      ${row.vector === undefined ? "" : "out 0xee, al\nhandler:"}
      at:
      vmcall
      out 0xee, al
    `,
    drive: (context) => {
      prepare(context, { fields: row.fields, reads });
      if (row.code.startsWith("out")) context.run();
      context.run();
    },
    trace: (labels) => `
      ${row.code.startsWith("out") ? "pio out 0x42 u8 0x0" : ""}
      hlt
      ${
      recorded([{
        exitReason: 18,
        instructionLength: 3,
        guestRip: labels.at,
        guestRflags: row.vector === undefined ? "*" : 2,
        ...row.exit,
      }], reads)
    }
      ${
      row.vector === undefined
        ? ""
        : `= mem 0x7bd8 u64 [${labels.fault} 0x28 0x2|0x10002 0x7c00 0x30]`
    }
      ${row.state ?? ""}
      ${afterExits}
    `,
  };
});
