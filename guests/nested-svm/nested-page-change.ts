import { asm, defineCases } from "../../mod.ts";
import {
  ALL,
  DIRECTORY,
  entries,
  error,
  FRAME,
  type Level,
  machineOfTested,
  NPF,
  OTHER_FRAME,
  OTHER_TABLE,
  POINTERS,
  prepared,
  prepareTables,
  ROOT,
  TABLE,
  TESTED,
  TESTED_PHYSICAL,
  usual,
} from "./_nested_paging.ts";
import {
  report,
  reported,
  reportExit,
  requiresNestedPaging,
  run,
  VMCB,
  vmcb,
  written,
} from "./_vmcb.ts";

const { FINAL, P, W, U, RSVD, ID } = error;
const LARGE = ALL | 0x80n;

/** What the guest meets: a page by what is in it, or a fault of its read, its write, its fetch. */
type Outcome = "frame" | "other" | "low" | { read: bigint } | { write: bigint } | { fetch: bigint };

interface Row {
  levels?: Partial<Record<Level, bigint>>;
  first?: Outcome;
  /** What the hypervisor does between the runs; TLB_CONTROL flushes everything, unless said. */
  change: string;
  flush?: string;
  second: Outcome;
  /** The entries that differ in the end. */
  left?: readonly (readonly [address: number, value: bigint])[];
}

const set = (address: number, value: bigint) => `
  mov rax, ${value}
  mov [${address}], rax
`;
/** A change of one whole entry. */
const setting = (address: number, value: bigint) => ({
  change: set(address, value),
  left: [[address, value]] as const,
});
const FLUSH_ALL = `mov byte [${VMCB + 0x5c}], 1`;
const OTHER = BigInt(OTHER_FRAME) | ALL;
const OTHER_DIRECTORY = BigInt(OTHER_TABLE) | ALL;
const left = [[TABLE, OTHER]] as const;
const leftTable = [[DIRECTORY, OTHER_DIRECTORY]] as const;
const toOther = setting(TABLE, OTHER);

const rows: Record<string, Row> = {
  remap: { ...toOther, second: "other" },
  "remap-flush-guest": { ...toOther, flush: `mov byte [${VMCB + 0x5c}], 3`, second: "other" },
  "remap-flush-not-global": {
    ...toOther,
    flush: `mov byte [${VMCB + 0x5c}], 7`,
    second: "other",
  },
  "remap-new-address-space": {
    ...toOther,
    flush: `mov byte [${VMCB + 0x58}], 2`,
    second: "other",
  },
  // A part of the entry is enough.
  "remap-byte": { change: `mov byte [${TABLE + 1}], 0x90`, second: "other", left },
  "remap-word": { change: `mov word [${TABLE}], 0x9067`, second: "other", left },
  "remap-dword": { change: `mov dword [${TABLE}], 0x109067`, second: "other", left },
  "remap-unaligned": { change: `mov word [${TABLE + 1}], 0x1090`, second: "other", left },
  "remap-exchange": {
    change: `mov rax, ${OTHER}\nxchg [${TABLE}], rax`,
    second: "other",
    left,
  },
  "remap-table": {
    ...setting(DIRECTORY, OTHER_DIRECTORY),
    second: "other",
  },
  "remap-table-byte": {
    change: `mov byte [${DIRECTORY + 1}], 0x70`,
    second: "other",
    left: leftTable,
  },
  "remap-table-dword": {
    change: `mov dword [${DIRECTORY}], 0x107067`,
    second: "other",
    left: leftTable,
  },
  "remap-table-exchange": {
    change: `mov rax, ${OTHER_DIRECTORY}\nlock xchg [${DIRECTORY}], rax`,
    second: "other",
    left: leftTable,
  },
  "remap-table-compare-exchange": {
    change: `
      mov eax, ${BigInt(TABLE) | ALL}
      mov ecx, ${OTHER_DIRECTORY}
      lock cmpxchg [${DIRECTORY}], rcx
    `,
    second: "other",
    left: leftTable,
  },
  "remap-table-add": {
    change: `add qword [${DIRECTORY}], 0x1000`,
    second: "other",
    left: leftTable,
  },
  // The upper half of entry 0 and the lower of entry 1, in one write.
  "two-entries-at-once": {
    change: `xor eax, eax\nmov [${ROOT + 4}], rax`,
    second: { read: 0n },
    left: [[ROOT + 8, 0n]],
  },
  "same-table-rewritten": { change: set(DIRECTORY, usual.directory), second: "frame" },
  "neighbour-of-table": { ...setting(DIRECTORY + 8, 0x12345000n), second: "frame" },
  "neighbour-in-table": { ...setting(TABLE + 8, OTHER), second: "frame" },
  "table-emptied": {
    change: `
      mov edi, ${TABLE}
      mov ecx, 512
      xor eax, eax
      rep stosq
      xor edi, edi
    `,
    second: { read: 0n },
    left: [[TABLE, 0n]],
  },
  "directory-emptied": {
    change: `
      mov edi, ${DIRECTORY}
      mov ecx, 512
      xor eax, eax
      rep stosq
      xor edi, edi
    `,
    second: { read: 0n },
    left: [[DIRECTORY, 0n]],
  },
  // So many writes that it looks like a table no more.
  "directory-written-often": {
    change: `
      ${Array.from({ length: 6 }, (_, index) => set(DIRECTORY + 8 + index * 8, 0n)).join("\n")}
      ${set(DIRECTORY, OTHER_DIRECTORY)}
    `,
    second: "other",
    left: leftTable,
  },
  split: {
    levels: { directory: LARGE },
    first: "low",
    ...setting(DIRECTORY, usual.directory),
    second: "frame",
  },
  merge: { ...setting(DIRECTORY, LARGE), second: "low" },
  "split-1-gib": {
    levels: { pointer: LARGE },
    first: "low",
    ...setting(POINTERS, usual.pointer),
    second: "frame",
  },
  "merge-1-gib": { ...setting(POINTERS, LARGE), second: "low" },
  "merge-2-mib-to-1-gib": {
    levels: { directory: LARGE },
    first: "low",
    ...setting(POINTERS, LARGE),
    second: "low",
  },
};

const entryNames = Object.keys(entries) as Level[];
for (const level of entryNames) {
  const at = entries[level];
  const entry = usual[level];
  const lowered = (name: string, value: bigint, second: Outcome) => {
    rows[`${name}-${level}`] = { ...setting(at, value), second };
  };
  lowered("unmap", entry & ~1n, { read: 0n });
  lowered("protect", entry & ~2n, { write: P });
  lowered("supervisor", entry & ~4n, { read: P });
  lowered("no-execute", entry | 1n << 63n, { fetch: P });
  lowered("reserved", entry | 1n << 51n, { read: P | RSVD });
  // What is granted needs no flush: a guest that faulted has no such translation.
  const raised = (name: string, value: bigint, first: Outcome) => {
    rows[`${name}-${level}`] = {
      levels: { [level]: value },
      first,
      ...setting(at, entry),
      flush: "",
      second: "frame",
    };
  };
  raised("map", entry & ~1n, { read: 0n });
  raised("unprotect", entry & ~2n, { write: P });
  raised("user", entry & ~4n, { read: P });
  raised("execute", entry | 1n << 63n, { fetch: P });
  raised("legal", entry | 1n << 51n, { read: P | RSVD });
}

const values = { frame: "0x11111111", other: "0x22222222", low: "0x33333333" };
const places = { frame: FRAME, other: OTHER_FRAME, low: 0 };

function met(outcome: Outcome, labels: Readonly<Record<string, string>>): string {
  const fault = (bits: bigint, offset: bigint, rip: string) =>
    reported(NPF, FINAL | U | bits, TESTED_PHYSICAL + 0xd00n + offset, rip);
  if (typeof outcome === "string") {
    const end = `0x${(TESTED + 0xd08).toString(16)}`;
    return `pio out 0x20 u32 ${values[outcome]}\n${reported(0x81, 0n, 0n, end)}`;
  }
  if ("read" in outcome) return fault(outcome.read, 0n, labels.nested);
  const read = `pio out 0x20 u32 ${values.frame}\n`;
  if ("write" in outcome) return read + fault(outcome.write | W, 4n, labels.writes);
  return read + fault(outcome.fetch | ID, 8n, `0x${(TESTED + 0xd08).toString(16)}`);
}

/** What the guest has written: its page's first word beside it. */
function wrote(outcomes: Outcome[]): string {
  const pages = new Set<keyof typeof places>();
  for (const outcome of outcomes) {
    if (typeof outcome === "string") pages.add(outcome);
    else if ("fetch" in outcome) pages.add("frame");
  }
  return [...pages].map((page) =>
    `= mem 0x${(places[page] + 0xd04).toString(16)} u32 ${values[page]}`
  ).join("\n");
}

/** A hypervisor changes an entry of its nested page tables: its guest meets the change. */
export default defineCases("nested-svm/nested-page-change", rows, (row) => {
  const { levels, first = "frame", change, flush = FLUSH_ALL, second, left = [] } = row;
  return {
    spec: ["APM 2 15.16: TLB control", "APM 2 15.25.3: nested paging operation"],
    mode: "long",
    requires: requiresNestedPaging,
    machine: machineOfTested,
    registers: { rsi: BigInt(TESTED + 0xd00) },
    guest: asm`
      ${run}
      ${reportExit}
      ${change}
      ${flush}
      mov qword [${VMCB + 0x578}], nested
      mov eax, ${VMCB}
      vmrun
      ${report}
      nested:
      mov eax, [rsi]
      out 0x20, eax
      writes:
      mov [rsi + 4], eax
      lea rdx, [rsi + 8]
      jmp rdx
    `,
    drive: (context) => {
      const { write, labels } = context;
      prepareTables(context, levels);
      write(OTHER_TABLE, new Uint8Array(BigUint64Array.of(OTHER).buffer));
      for (const [page, fill] of [[FRAME, 0x11], [OTHER_FRAME, 0x22], [0, 0x33]]) {
        // VMMCALL behind the two words.
        write(page + 0xd00, Uint8Array.of(fill, fill, fill, fill, 0, 0, 0, 0, 0x0f, 0x01, 0xd9));
      }
      write(VMCB, vmcb({ rip: labels.get("nested")!, second: 2, nestedCr3: BigInt(ROOT) }));
    },
    trace: (labels) => `
      ${prepared}
      ${met(first, labels)}
      ${met(second, labels)}
      hlt
      = rflags 0x46
      ${wrote([first, second])}
      ${
      left.map(([at, value]) => `= mem 0x${at.toString(16)} u64 0x${value.toString(16)}`).join("\n")
    }
      ${written}
    `,
  };
});
