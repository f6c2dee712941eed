import { asm, defineCases } from "../../mod.ts";
import {
  ALL,
  error,
  machineOfTested,
  NPF,
  prepared,
  prepareTables,
  ROOT,
  TESTED,
} from "./_nested_paging.ts";
import { report, reported, requiresNestedPaging, run, VMCB, vmcb, written } from "./_vmcb.ts";

const { WALK, P, W, U, RSVD } = error;

/** The guest's own tables of the tested address: the page of each, and the entry in it. */
const tables = {
  pml4: 0x10000,
  pointers: 0x11008,
  directory: 0x13008,
};

const flaws: Record<string, { change: (entry: bigint) => bigint; bits: bigint }> = {
  "not-present": { change: (entry) => entry & ~1n, bits: 0n },
  // A walk counts as a write of a user.
  "read-only": { change: (entry) => entry & ~2n, bits: P },
  supervisor: { change: (entry) => entry & ~4n, bits: P },
  reserved: { change: (entry) => entry | 1n << 51n, bits: P | RSVD },
};

interface Row {
  entry: number;
  flaw: (typeof flaws)[string];
  instruction: string;
}

const rows: Record<string, Row> = {};
for (const [table, entry] of Object.entries(tables)) {
  for (const [name, flaw] of Object.entries(flaws)) {
    rows[`${name}-${table}-read`] = { entry, flaw, instruction: "mov eax, [rsi]" };
  }
  rows[`not-present-${table}-write`] = {
    entry,
    flaw: flaws["not-present"],
    instruction: "mov [rsi], eax",
  };
}
// The root is needed for the first instruction already.
for (const name of Object.keys(rows)) {
  if (name.includes("-pml4-") || name.includes("-pointers-")) {
    rows[name] = { ...rows[name], instruction: "nop" };
  }
}

/** A guest's own page tables are in pages that its nested tables do not let a walk use. */
export default defineCases("nested-svm/nested-page-walk", rows, ({ entry, flaw, instruction }) => ({
  spec: "APM 2 15.25.6: nested versus guest page faults, fault ordering",
  mode: "long",
  requires: requiresNestedPaging,
  machine: machineOfTested,
  registers: { rsi: BigInt(TESTED + 0x200d10) },
  guest: asm`
    ${run}
    ${report}
    nested:
    ${instruction}
    out 0xee, al
  `,
  drive: (context) => {
    prepareTables(context);
    const page = BigInt(entry >> 12);
    const changed = flaw.change(page << 12n | ALL);
    context.write(
      ROOT + 0x3000 + Number(page) * 8,
      new Uint8Array(BigUint64Array.of(changed).buffer),
    );
    context.write(
      VMCB,
      vmcb({ rip: context.labels.get("nested")!, rax: 0x77n, nestedCr3: BigInt(ROOT) }),
    );
  },
  // Which entry of the page it is belongs to the address; the first instruction's is entry 0.
  trace: ({ nested }) => `
    ${prepared}
    ${
    reported(
      NPF,
      WALK | U | W | flaw.bits,
      BigInt(instruction === "nop" ? entry & ~0xfff : entry),
      nested,
    )
  }
    hlt
    = rflags 0x46
    ${written}
  `,
}));
