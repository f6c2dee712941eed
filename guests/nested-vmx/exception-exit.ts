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
} from "./_vmx.ts";

interface Row {
  before?: string;
  code: string;
  fields?: Fields;
  /** What is read beyond reason 0; `interruption` without its valid bit. */
  exit: ExpectedExit;
  state?: string;
  /** The host is told of a byte for port 0x42. */
  output?: true;
}

const only = (vector: number, more: Fields = {}): Fields => ({
  exceptionBitmap: 1 << vector >>> 0,
  ...more,
});
const rbx = (value: string) => `= rbx ${value}`;

const rows: Record<string, Row> = {
  "divide-error": { code: "div ebx", fields: only(0), exit: { exitInterruption: 0x80000300 } },
  breakpoint: {
    code: "int3",
    fields: only(3),
    exit: { exitInterruption: 0x80000603, instructionLength: 1 },
  },
  icebp: {
    code: "int1",
    fields: only(1),
    exit: { exitInterruption: 0x80000501, instructionLength: 1 },
  },
  "invalid-opcode": { code: "ud2", fields: only(6), exit: { exitInterruption: 0x80000306 } },
  "no-device": {
    code: "fnop",
    fields: only(7, { guestCr0: 0x80010039 }),
    exit: { exitInterruption: 0x80000307 },
  },
  "segment-not-present": {
    before: "mov ebx, 0xf0",
    code: "mov ds, ebx",
    fields: only(11),
    exit: { exitInterruption: 0x80000b0b, exitErrorCode: 0xf0 },
    state: rbx("0xf0"),
  },
  "stack-fault": {
    before: "mov rbp, 0x800000000000",
    code: "mov al, [rbp]",
    fields: only(12),
    exit: { exitInterruption: 0x80000b0c },
    state: "= rbp 0x800000000000",
  },
  "general-protection": {
    before: "mov ebx, 0x200",
    code: "mov ds, ebx",
    fields: only(13),
    exit: { exitInterruption: 0x80000b0d, exitErrorCode: 0x200 },
    state: rbx("0x200"),
  },
  "general-protection-address": {
    before: "mov rbx, 0x800000000000",
    code: "mov al, [rbx]",
    fields: only(13),
    exit: { exitInterruption: 0x80000b0d },
    state: rbx("0x800000000000"),
  },
  "page-fault-read": {
    before: "mov rbx, 0x140000000",
    code: "mov al, [rbx + 8]",
    fields: only(14),
    exit: { exitInterruption: 0x80000b0e, qualification: 0x140000008 },
    state: rbx("0x140000000"),
  },
  "page-fault-write": {
    before: "mov rbx, 0x140000000",
    code: "mov [rbx], al",
    fields: only(14),
    exit: { exitInterruption: 0x80000b0e, qualification: 0x140000000, exitErrorCode: 2 },
    state: rbx("0x140000000"),
  },
  // With the bit set, an error code that does not match exits not; with it clear, one that does not.
  "page-fault-matches": {
    before: "mov rbx, 0x140000000",
    code: "mov [rbx], al",
    fields: only(14, { pageFaultMask: 2, pageFaultMatch: 2 }),
    exit: { exitInterruption: 0x80000b0e, qualification: 0x140000000, exitErrorCode: 2 },
    state: rbx("0x140000000"),
  },
  "page-fault-mask-and-match": {
    before: "mov rbx, 0x140000000",
    code: "mov [rbx], al",
    fields: only(14, { pageFaultMask: 3, pageFaultMatch: 2 }),
    exit: { exitInterruption: 0x80000b0e, qualification: 0x140000000, exitErrorCode: 2 },
    state: rbx("0x140000000"),
  },
  "page-fault-clear-differs": {
    before: "mov rbx, 0x140000000",
    code: "mov [rbx], al",
    fields: { exceptionBitmap: 0, pageFaultMask: 2, pageFaultMatch: 0 },
    exit: { exitInterruption: 0x80000b0e, qualification: 0x140000000, exitErrorCode: 2 },
    state: rbx("0x140000000"),
  },
  // These are found by the host, in what it does for the guest.
  "general-protection-of-host": {
    before: "mov ecx, 0x1ff0",
    code: "rdmsr",
    fields: only(13, {
      processorControls: processor(Processor.msrBitmaps),
      msrBitmap: 0xf000,
      exitErrorCode: 0x55,
    }),
    exit: { exitInterruption: 0x80000b0d },
    state: "= rcx 0x1ff0",
  },
  "page-fault-of-host": {
    before: "mov rsi, 0x140000000\nmov edx, 0x42",
    code: "outsb",
    fields: only(14, { pageFaultMask: 3, pageFaultMatch: 0, exitErrorCode: 0x55 }),
    exit: { exitInterruption: 0x80000b0e, qualification: 0x140000000 },
    state: "= rsi 0x140000000\n= rdx 0x42",
  },
  "single-step-of-host": {
    before: "push 0x102\npopfq",
    code: "out 0x42, al",
    output: true,
    fields: only(1),
    exit: {
      exitInterruption: 0x80000301,
      qualification: 0x4000,
      guestRip: "behind",
      guestRflags: 0x102,
    },
    state: "= mem 0x7bf8 u64 0x102",
  },
  // One that VM entry finds pending is delivered before the first instruction.
  "debug-pending": {
    code: "nop",
    fields: only(1, { pendingDebug: 0x4000, guestRflags: 0x102 }),
    exit: { exitInterruption: 0x80000301, qualification: 0x4000, guestRflags: 0x102 },
  },
  "single-step": {
    before: "push 0x102\npopfq",
    code: "nop",
    fields: only(1),
    exit: {
      exitInterruption: 0x80000301,
      qualification: 0x4000,
      guestRip: "behind",
      guestRflags: 0x102,
    },
    state: "= mem 0x7bf8 u64 0x102",
  },
  "debug-breakpoint": {
    before: "mov rbx, 0xf008\nmov dr1, rbx\nmov ebx, 0x100408\nmov dr7, rbx",
    code: "mov [0xf008], al",
    fields: only(1),
    exit: { exitInterruption: 0x80000301, qualification: 2, guestRip: "behind" },
    state: `= rbx 0x100408
      = dr1 0xf008`,
  },
};

/** An exception whose bit of the exception bitmap is 1 exits, with what would have been delivered. */
export default defineCases("nested-vmx/exception-exit", rows, (row) => {
  const reads: FieldName[] = [
    ...exitFields,
    "exitErrorCode",
    "guestRflags",
    "guestRsp",
    "interruptibility",
  ];
  return {
    spec: [
      "SDM 3C 26.2: other causes of VM exits (exceptions)",
      "SDM 3C 28.2.2: information for VM exits due to vectored events",
    ],
    mode: "long",
    requires,
    machine: { ...machine, descriptors: { 0xf0: 0x00cf13000000ffffn } },
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
      prepare(context, { fields: row.fields, reads });
      if (row.output) context.run();
      context.run();
    },
    trace: ({ at, behind }) => {
      const { guestRip, ...exit } = row.exit;
      return `
        ${row.output ? "pio out 0x42 u8 0x0" : ""}
        hlt
        ${
        recorded([{
          guestRip: guestRip === "behind" ? behind : at,
          // Of a fault no length is promised, and bit 16 of RFLAGS is the processor's.
          instructionLength: "*",
          exitErrorCode: 0,
          guestRflags: "0x2|0x10002",
          guestRsp: 0x7c00,
          ...exit,
        }], reads)
      }
        ${row.state ?? ""}
        ${afterExits}
      `;
    },
  };
});
