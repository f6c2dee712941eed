import { asm, defineCases } from "../../mod.ts";
import {
  ALL,
  entries,
  error,
  type Level,
  machineOfTested,
  NPF,
  prepared,
  prepareTables,
  ROOT,
  TESTED,
  TESTED_PHYSICAL,
  usual,
} from "./_nested_paging.ts";
import { report, reported, requiresNestedPaging, run, VMCB, vmcb, written } from "./_vmcb.ts";

const { FINAL, P, W, U, RSVD, ID } = error;

/** Instruction, and what of the error code says which access it is. */
const accesses = {
  read: { instruction: "mov eax, [rsi]", bits: 0n },
  write: { instruction: "mov [rsi], eax", bits: W },
  modify: { instruction: "add [rsi], eax", bits: W },
  fetch: { instruction: "jmp rsi", bits: ID },
} as const;
type Access = keyof typeof accesses;

interface Row {
  access: Access;
  levels: Partial<Record<Level, bigint>>;
  /** P and RSVD of the error code. */
  bits: bigint;
}

const rows: Record<string, Row> = {};
for (const level of Object.keys(entries) as Level[]) {
  const entry = usual[level];
  for (const access of ["read", "write", "fetch"] as const) {
    rows[`not-present-${level}-${access}`] = { access, levels: { [level]: entry & ~1n }, bits: 0n };
    rows[`supervisor-${level}-${access}`] = { access, levels: { [level]: entry & ~4n }, bits: P };
  }
  for (const access of ["write", "modify"] as const) {
    rows[`read-only-${level}-${access}`] = { access, levels: { [level]: entry & ~2n }, bits: P };
  }
  rows[`no-execute-${level}`] = {
    access: "fetch",
    levels: { [level]: entry | 1n << 63n },
    bits: P,
  };
  for (const access of ["read", "write", "fetch"] as const) {
    rows[`beyond-physical-${level}-${access}`] = {
      access,
      levels: { [level]: entry | 1n << 51n },
      bits: P | RSVD,
    };
  }
}
const reserved: [string, Level, bigint][] = [
  ["page-of-512-gib", "pml4", usual.pml4 | 0x80n],
  ["page-of-1-gib", "pointer", ALL | 0x80n | 1n << 13n],
  ["page-of-1-gib-high", "pointer", ALL | 0x80n | 1n << 29n],
  ["page-of-2-mib", "directory", ALL | 0x80n | 1n << 13n],
  ["page-of-2-mib-high", "directory", ALL | 0x80n | 1n << 20n],
];
for (const [name, level, entry] of reserved) {
  rows[`reserved-${name}`] = { access: "read", levels: { [level]: entry }, bits: P | RSVD };
}
const large: [string, Level][] = [["1-gib", "pointer"], ["2-mib", "directory"]];
for (const [name, level] of large) {
  const entry = ALL | 0x80n;
  const row = (access: Access, entry: bigint, bits: bigint = P): Row => ({
    access,
    levels: { [level]: entry },
    bits,
  });
  rows[`${name}-not-present`] = row("read", entry & ~1n, 0n);
  rows[`${name}-read-only`] = row("write", entry & ~2n);
  rows[`${name}-supervisor`] = row("read", entry & ~4n);
  rows[`${name}-no-execute`] = row("fetch", entry | 1n << 63n);
}

/** A guest's access that its nested page tables forbid: error code and guest-physical address. */
export default defineCases("nested-svm/nested-page-fault", rows, ({ access, levels, bits }) => ({
  spec: [
    "APM 2 15.25.6: nested versus guest page faults, fault ordering",
    "APM 2 5.6: page faults",
  ],
  mode: "long",
  requires: requiresNestedPaging,
  machine: machineOfTested,
  registers: { rsi: BigInt(TESTED + 0xd10) },
  guest: asm`
    ${run}
    ${report}
    nested:
    ${accesses[access].instruction}
    out 0xee, al
  `,
  drive: (context) => {
    prepareTables(context, levels);
    context.write(
      VMCB,
      vmcb({ rip: context.labels.get("nested")!, rax: 0x77n, nestedCr3: BigInt(ROOT) }),
    );
  },
  trace: ({ nested }) => `
    ${prepared}
    ${
    reported(
      NPF,
      FINAL | U | accesses[access].bits | bits,
      TESTED_PHYSICAL + 0xd10n,
      access === "fetch" ? `0x${(TESTED + 0xd10).toString(16)}` : nested,
    )
  }
    hlt
    = rflags 0x46
    ${written}
  `,
}));
