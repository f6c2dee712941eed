import { asm, defineCases } from "../../mod.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  after,
  exitFields,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  recorded,
  requires,
  unblockedStack,
  unblockNmis,
} from "./_vmx.ts";

interface Row {
  code: string;
  fields?: Fields;
  exit: ExpectedExit;
  state?: string;
}

const inject = (information: number, more: Fields = {}): Fields => ({
  entryInterruption: (0x80000000 | information) >>> 0,
  ...more,
});
/** The general-protection fault of a gate that is none: its index, IDT (bit 1), and whether the event is external. */
const noGate = (vector: number, external: boolean): ExpectedExit => ({
  exitInterruption: 0x80000b0d,
  exitErrorCode: vector << 3 | 2 | (external ? 1 : 0),
});

const rows: Record<string, Row> = {
  "software-interrupt": {
    code: "int 0x40",
    exit: { ...noGate(0x40, false), vectoring: 0x80000440, instructionLength: 2 },
  },
  breakpoint: {
    code: "int3",
    exit: { ...noGate(3, false), vectoring: 0x80000603, instructionLength: 1 },
  },
  "invalid-opcode": {
    code: "ud2",
    exit: { ...noGate(6, true), vectoring: 0x80000306 },
  },
  "divide-error": {
    code: "div ecx",
    exit: { ...noGate(0, true), vectoring: 0x80000300 },
  },
  "segment-not-present": {
    code: "mov ebx, 0xf0\nfault:\nmov ds, ebx",
    exit: {
      ...noGate(11, true),
      vectoring: 0x80000b0b,
      vectoringErrorCode: 0xf0,
      guestRip: "fault",
    },
    state: "= rbx 0xf0",
  },
  "injected-interrupt": {
    code: "nop",
    fields: inject(0x30, { guestRflags: 0x202 }),
    exit: { ...noGate(0x30, true), vectoring: 0x80000030, guestRflags: "0x202|0x10202" },
  },
  "injected-nmi": {
    code: "nop",
    fields: inject(0x202),
    exit: { ...noGate(2, true), vectoring: 0x80000202, interruptibility: "*" },
  },
  "injected-exception": {
    code: "nop",
    fields: inject(0xb0d, { entryErrorCode: 0x48 }),
    exit: { ...noGate(13, true), vectoring: 0x80000b0d, vectoringErrorCode: 0x48 },
  },
  "injected-software-interrupt": {
    code: "nop",
    fields: inject(0x440, { entryInstructionLength: 7 }),
    exit: { ...noGate(0x40, false), vectoring: 0x80000440, instructionLength: 7 },
  },
  "injected-breakpoint": {
    code: "nop",
    fields: inject(0x603, { entryInstructionLength: 5 }),
    exit: { ...noGate(3, false), vectoring: 0x80000603, instructionLength: 5 },
  },
  // Not intercepted, the second fault makes a double fault, which is an event of its own.
  "double-fault": {
    code: "mov ebx, 0x200\nfault:\nmov ds, ebx",
    fields: { exceptionBitmap: 1 << 8 },
    exit: { exitInterruption: 0x80000b08, guestRip: "fault", vectoring: 0 },
    state: "= rbx 0x200",
  },
  "triple-fault": {
    code: "mov ebx, 0x200\nfault:\nmov ds, ebx",
    fields: { exceptionBitmap: 0 },
    exit: { exitReason: 2, guestRip: "fault", vectoring: 0 },
    state: "= rbx 0x200",
  },
  "triple-fault-injected": {
    code: "nop",
    fields: { ...inject(0xb08), exceptionBitmap: 0 },
    exit: { exitReason: 2, vectoring: 0 },
  },
  // Without a page for its gate.
  "page-fault": {
    code: "int 0x40",
    fields: { exceptionBitmap: 1 << 14, guestIdtrBase: 0x140000000n },
    exit: {
      exitInterruption: 0x80000b0e,
      exitErrorCode: 0,
      qualification: 0x140000400,
      vectoring: 0x80000440,
      instructionLength: 2,
    },
  },
};

const reads: readonly FieldName[] = [
  ...exitFields,
  "exitErrorCode",
  "vectoringErrorCode",
  "guestRflags",
  "interruptibility",
];

/** An exit while an event is being delivered tells both: what has exited, and the event to repeat. */
export default defineCases("nested-vmx/vectoring", rows, ({ code, fields, exit, state }) => {
  const nmi = exit.vectoring === 0x80000202;
  return {
    spec: [
      "SDM 3C 28.2.2: information for VM exits due to vectored events",
      "SDM 3C 28.2.4: information for VM exits during event delivery",
    ],
    mode: "long",
    requires,
    machine: { ...machine, descriptors: { 0xf0: 0x00cf13000000ffffn } },
    guest: asm`
    ${hypervisor({ ending: `${nmi ? unblockNmis : ""}\nhlt` })}
    nested:
    ${code}
    out 0xee, al
    times 8 nop
  `,
    drive: (context) => {
      prepare(context, { fields: { exceptionBitmap: 1 << 13, ...fields }, reads });
      context.run();
    },
    trace: (labels) => `
    hlt
    ${
      recorded([{
        instructionLength: "*",
        guestRflags: "0x2|0x10002",
        vectoringErrorCode: exit.vectoringErrorCode ?? "*",
        exitErrorCode: exit.exitErrorCode ?? "*",
        ...exit,
        guestRip: labels[(exit.guestRip ?? "nested") as string],
      }], reads)
    }
    ${state ?? ""}
    ${nmi ? unblockedStack : ""}
    ${after(nmi ? 2 : 0x46)}
  `,
  };
});
