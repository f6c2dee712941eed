import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import { type Way, ways } from "../_ways.ts";
import {
  after,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  Processor,
  processor,
  quadwords,
  recorded,
  requires,
} from "./_vmx.ts";

/** A list of MSRs to load at entry. */
const LIST = 0xa100;
const offset = { processorControls: processor(Processor.tscOffset), tscOffset: 1n << 56n };

interface Row {
  fields: Fields;
  /** How the nested guest reads the counter. */
  code?: string;
  /** The highest 8 bits of it. */
  highest?: number;
  /** The nested guest is not entered. */
  exit?: ExpectedExit;
  state?: string;
  /** How the hypervisor reads it at the end. */
  way?: Way;
}

const readMsr = "mov ecx, 0x10\nrdmsr";

const rows: Record<string, Row> = {
  // The sum has 64 bits.
  negative: { fields: { ...offset, tscOffset: 0xff00000000000000n }, highest: 0xff },
  "not-asked": { fields: { tscOffset: offset.tscOffset }, highest: 0 },
  msr: {
    fields: {
      ...offset,
      processorControls: processor(Processor.tscOffset | Processor.msrBitmaps),
      msrBitmap: 0xf000,
    },
    code: readMsr,
    highest: 1,
    state: "= rcx 0x10",
  },
  "msr-not-asked": {
    fields: { processorControls: processor(Processor.msrBitmaps), msrBitmap: 0xf000 },
    code: readMsr,
    highest: 0,
    state: "= rcx 0x10",
  },
};
for (const [suffix, way] of Object.entries(ways)) {
  // FS's base is none of the MSRs that entries load.
  rows[`entry-failed${suffix}`] = {
    fields: { ...offset, entryMsrLoadCount: 1, entryMsrLoadAddress: LIST },
    exit: { exitReason: 0x80000022, qualification: 1, guestRip: "nested" },
    way,
  };
  rows[`exited${suffix}`] = { fields: offset, highest: 1, way };
}

/** RDTSC and IA32_TIME_STAMP_COUNTER of the nested guest have the offset, and the hypervisor's do not. */
export default defineCases("nested-vmx/tsc-offset", rows, (row) => {
  const { fields, code = "rdtsc", highest = 0, exit, state = "", way = ways[""] } = row;
  return {
    spec: [
      "SDM 3C 25.6.5: time-stamp counter offset and multiplier",
      "SDM 3C 26.3: changes to instruction behavior (RDTSC, RDMSR)",
    ],
    mode: "long",
    requires: [...requires, ...way.requires],
    machine,
    guest: asm`
      ${
      hypervisor({
        ending: `
        ${way.prefix}
        rdtsc
        shr edx, 24
        mov edi, edx
        xor eax, eax
        xor edx, edx
        hlt
      `,
      })
    }
      nested:
      ${code}
      shr edx, 24
      mov ebx, edx
      xor eax, eax
      called:
      vmcall
      out 0xee, al
    `,
    drive: (context) => {
      context.write(LIST, quadwords([0xc0000100, 0]));
      prepare(context, { fields, reads: ["exitReason", "qualification", "guestRip"] });
      context.run();
    },
    trace: (labels) => `
      hlt
      ${
      recorded([{
        exitReason: 18,
        ...exit,
        guestRip: labels[(exit?.guestRip ?? "called") as string],
      }], ["exitReason", "qualification", "guestRip"])
    }
      ${highest ? `= rbx 0x${highest.toString(16)}` : ""}
      ${state}
      ${after(0x46)}
    `,
  };
});
