import { asm, defineCases } from "../../mod.ts";
import { EPT, eptFields, eptSlot, PAGE, R, W, WB, writeEpt, X } from "./_ept.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  afterExits,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  recorded,
  requiresEpt,
  Secondary,
} from "./_vmx.ts";

/** Accessed and dirty, of an entry. */
const A = 1 << 8, D = 1 << 9;
/** EPTP: accessed and dirty flags are kept. */
const ENABLED = 1 << 6;
/** The page-modification log: 512 addresses, the last first. */
const LOG = 0x10c000;

interface Row {
  code: string;
  /** What the entry of the page has at first, and behind it. */
  before: number;
  behind: number;
  disabled?: true;
  /** The index of the log, at first. */
  index?: number;
  /** The entry of the log that is written. */
  logged?: number;
  exit?: ExpectedExit;
  state?: string;
}

const read = `mov ebx, [${PAGE}]`;
const write = `mov [${PAGE}], edx`;

const rows: Record<string, Row> = {
  "not-accessed": { code: "nop", before: 0, behind: 0 },
  read: { code: read, before: 0, behind: A },
  write: { code: write, before: 0, behind: A | D },
  "read-then-write": { code: `${read}\n${write}`, before: 0, behind: A | D },
  "write-accessed": { code: write, before: A, behind: A | D },
  "read-dirty": { code: read, before: A | D, behind: A | D },
  "disabled-read": { code: read, before: 0, behind: 0, disabled: true },
  "disabled-write": { code: write, before: 0, behind: 0, disabled: true },
  "log-write": {
    code: write,
    before: A,
    behind: A | D,
    index: 511,
    logged: 511,
    exit: { pmlIndex: 510 },
  },
  "log-last": {
    code: write,
    before: A,
    behind: A | D,
    index: 0,
    logged: 0,
    exit: { pmlIndex: 0xffff },
  },
  // Only what becomes dirty is logged.
  "log-dirty": { code: write, before: A | D, behind: A | D, index: 511, exit: { pmlIndex: 511 } },
  "log-read": { code: read, before: 0, behind: A, index: 511, exit: { pmlIndex: 511 } },
  // Full, the hypervisor is told before anything is set.
  "log-full": {
    code: write,
    before: A,
    behind: A,
    index: 0xffff,
    exit: { exitReason: 62, pmlIndex: 0xffff, guestRip: "nested" },
  },
};

const reads: readonly FieldName[] = ["exitReason", "guestRip", "pmlIndex"];

/** Accessed and dirty flags of the extended page tables, and the log of what has become dirty. */
export default defineCases("nested-vmx/ept-flags", rows, (row) => {
  const { code, before, behind, disabled, index, logged, exit } = row;
  // What the guest's own tables and code have is there from the start.
  const preset = disabled ? 0 : A | D;
  const rights = R | W | X;
  const entry = PAGE | WB | rights;
  return {
    spec: [
      "SDM 3C 29.3.5: accessed and dirty flags for EPT",
      "SDM 3C 29.3.6: page-modification logging",
    ],
    mode: "long",
    requires: requiresEpt,
    machine,
    guest: asm`
      ${hypervisor()}
      nested:
      ${code}
      called:
      vmcall
      out 0xee, al
    `,
    drive: (context) => {
      const changes: Record<number, number> = {
        [EPT.top]: EPT.pointers | rights | preset & A,
        [EPT.pointers]: EPT.directory | rights | preset & A,
        [EPT.directory]: EPT.table | rights | preset & A,
      };
      for (let page = 0; page < 0x20; page++) {
        changes[EPT.table + page * 8] = page << 12 | WB | rights | preset;
      }
      changes[EPT.table + (PAGE >> 12) * 8] = entry | before;
      writeEpt(context, changes);
      const fields: Fields = {
        ...eptFields(index === undefined ? 0 : Secondary.pml, disabled ? 0 : ENABLED),
        pmlAddress: LOG,
        pmlIndex: index ?? 0,
      };
      prepare(context, { fields, reads });
      context.run();
    },
    trace: (labels) => `
      ${eptSlot}
      hlt
      ${
      recorded([{
        exitReason: 18,
        ...exit,
        guestRip: labels[(exit?.guestRip ?? "called") as string],
      }], reads)
    }
      = mem 0x${(EPT.table + (PAGE >> 12) * 8).toString(16)} u64 0x${(entry | behind).toString(16)}
      ${
      logged === undefined
        ? ""
        : `= mem 0x${(LOG + logged * 8).toString(16)} u64 0x${PAGE.toString(16)}`
    }
      ${row.state ?? ""}
      ${afterExits}
    `,
  };
});
