import { asm, defineCases } from "../../mod.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  after,
  exitFields,
  hypervisor,
  machine,
  prepare,
  recorded,
  requires,
  unblockedStack,
  unblockNmis,
} from "./_vmx.ts";

interface Row {
  vector: number;
  /** 0 external interrupt, 2 NMI, 3 hardware exception, 4 software interrupt, 5 and 6 software exceptions. */
  type: number;
  error?: number;
  /** Bytes of the instruction that a software event comes from. */
  length?: number;
  fields?: Fields;
  interruptsOn?: boolean;
}

const rows: Record<string, Row> = {
  interrupt: { vector: 0x30, type: 0, interruptsOn: true },
  "interrupt-of-exception-vector": { vector: 0x0d, type: 0, interruptsOn: true },
  "interrupt-wakes": { vector: 0x30, type: 0, interruptsOn: true, fields: { activity: 1 } },
  nmi: { vector: 2, type: 2 },
  "divide-error": { vector: 0, type: 3 },
  debug: { vector: 1, type: 3 },
  "invalid-opcode": { vector: 6, type: 3 },
  "double-fault": { vector: 8, type: 3, error: 0 },
  "invalid-tss": { vector: 10, type: 3, error: 0x48 },
  "segment-not-present": { vector: 11, type: 3, error: 0x1235 },
  "stack-fault": { vector: 12, type: 3, error: 0x30 },
  "general-protection": { vector: 13, type: 3, error: 0xffff },
  "page-fault": { vector: 14, type: 3, error: 0x7 },
  "alignment-check": { vector: 17, type: 3, error: 0 },
  // The last that an exception may have.
  "exception-31": { vector: 31, type: 3 },
  // What the hypervisor injects it does not intercept.
  "general-protection-not-intercepted": {
    vector: 13,
    type: 3,
    error: 0x18,
    fields: { exceptionBitmap: 0xffffffff },
  },
  "software-interrupt": { vector: 0x40, type: 4, length: 2 },
  "software-interrupt-long": { vector: 0xff, type: 4, length: 15 },
  icebp: { vector: 1, type: 5, length: 1 },
  breakpoint: { vector: 3, type: 6, length: 1 },
  overflow: { vector: 4, type: 6, length: 3 },
};

const reads: readonly FieldName[] = [
  ...exitFields,
  "entryInterruption",
  "guestRsp",
  "activity",
  "interruptibility",
];

/** What VM entry injects is delivered before the guest's first instruction. */
export default defineCases("nested-vmx/inject", rows, (row) => {
  const { vector, type, error, length = 0, fields, interruptsOn = false } = row;
  const nmi = type === 2;
  const flags = interruptsOn ? 0x202 : 0x2;
  const information = vector | type << 8 | (error === undefined ? 0 : 0x800);
  return {
    spec: "SDM 3C 27.6.1: vectored-event injection",
    mode: "long",
    requires,
    machine,
    handlers: { [vector]: "handler" },
    guest: asm`
      ${hypervisor({ ending: `${nmi ? unblockNmis : ""}\nhlt` })}
      nested:
      times 15 nop
      returned:
      vmcall
      out 0xee, al
      handler:
      mov esi, 1
      at:
      vmcall
      ${error === undefined ? "" : "add rsp, 8"}
      iretq
    `,
    drive: (context) => {
      prepare(context, {
        fields: {
          entryInterruption: (0x80000000 | information) >>> 0,
          entryErrorCode: error ?? 0,
          entryInstructionLength: length,
          guestRflags: flags,
          ...fields,
        },
        reads,
        exits: 2,
      });
      context.run();
    },
    trace: ({ at, nested, returned }) => `
      hlt
      = rsi 0x1
      = mem 0x${error === undefined ? "7bd8" : "7bd0"} u64 [${
      error === undefined ? "" : `0x${error.toString(16)} `
    }0x${(Number(nested) + length).toString(16)} 0x28 0x${flags.toString(16)} 0x7c00 0x30]
      ${
      recorded([{
        exitReason: 18,
        instructionLength: 3,
        guestRip: at,
        entryInterruption: information,
        guestRsp: error === undefined ? 0x7bd8 : 0x7bd0,
        // An NMI blocks the next one.
        interruptibility: type === 2 ? 8 : 0,
      }, {
        exitReason: 18,
        instructionLength: 3,
        guestRip: returned,
        entryInterruption: information,
        guestRsp: 0x7c00,
        interruptibility: 0,
      }], reads)
    }
      ${nmi ? unblockedStack : ""}
      ${after(nmi ? 2 : 0x46)}
    `,
  };
});
