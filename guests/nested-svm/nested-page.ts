import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import {
  entries,
  FRAME,
  type Level,
  machineOfTested,
  prepared,
  prepareTables,
  ROOT,
  TESTED,
  usual,
} from "./_nested_paging.ts";
import { report, reported, requiresNestedPaging, run, VMCB, vmcb, written } from "./_vmcb.ts";

/** Present, writable, user; neither accessed nor dirty. */
const FRESH = 0x7n;

/** By size: the leaf, and where a guest's access to offset 0xd00 of the page ends. */
const sizes = {
  "4-kib": { leaf: "table", entry: BigInt(FRAME) | FRESH, at: FRAME + 0xd00 },
  "2-mib": { leaf: "directory", entry: FRESH | 0x80n, at: 0xd00 },
  "1-gib": { leaf: "pointer", entry: FRESH | 0x80n, at: 0xd00 },
} as const;

const accesses = {
  read: { code: "mov edi, [rsi]", state: () => "= rdi 0x11223344", dirty: false },
  write: {
    code: "mov [rsi], eax",
    state: (at: string) => `= mem ${at} u32 0x77`,
    dirty: true,
  },
  modify: {
    code: "add [rsi], eax\nmov edi, 0",
    state: (at: string) => `= mem ${at} u32 0x112233bb`,
    dirty: true,
  },
  exchange: {
    code: "mov edi, 0x55\nlock xchg [rsi], edi",
    state: (at: string) => `= mem ${at} u32 0x55\n= rdi 0x11223344`,
    dirty: true,
  },
  // A comparison that fails writes what was there.
  "compare-exchange": {
    code: "lock cmpxchg [rsi], edi",
    state: () => "",
    dirty: true,
  },
  "read-then-write": {
    code: "mov edi, [rsi]\nmov [rsi], eax",
    state: (at: string) => `= rdi 0x11223344\n= mem ${at} u32 0x77`,
    dirty: true,
  },
} as const;

interface Row {
  size: keyof typeof sizes;
  access: keyof typeof accesses;
}

const rows: Record<string, Row> = {};
for (const size of Object.keys(sizes) as Row["size"][]) {
  for (const access of Object.keys(accesses) as Row["access"][]) {
    rows[`${size}-${access}`] = { size, access };
  }
}

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** A guest's access through nested page tables of every size sets A at each level, and D in the last. */
export default defineCases("nested-svm/nested-page", inBothWays(rows), ({ row, way }) => {
  const { leaf, entry, at } = sizes[row.size];
  const { code, state, dirty } = accesses[row.access];
  const levels = Object.keys(entries) as Level[];
  const used = levels.slice(0, levels.indexOf(leaf) + 1);
  const fresh = (level: Level) => level === leaf ? entry : usual[level] & ~0x60n;
  // LOCK XCHG has no form without its memory operand, and the prefix stands before the last line.
  const lines: string[] = code.split("\n");
  return {
    spec: ["APM 2 15.25.3: nested paging operation", "APM 2 5.4.2: accessed and dirty bits"],
    mode: "long",
    requires: [...requiresNestedPaging, ...way.requires],
    machine: machineOfTested,
    registers: { rsi: BigInt(TESTED + 0xd00) },
    guest: asm`
      ${run}
      ${report}
      nested:
      ${lines.map((line) => `${line.includes("[") ? way.prefix : ""}\n${line}`).join("\n")}
      mov eax, 0
      at:
      vmmcall
    `,
    drive: (context) => {
      prepareTables(context, Object.fromEntries(used.map((level) => [level, fresh(level)])));
      context.write(at, Uint8Array.of(0x44, 0x33, 0x22, 0x11));
      context.write(
        VMCB,
        vmcb({
          rip: context.labels.get("nested")!,
          rax: 0x77n,
          second: 2,
          nestedCr3: BigInt(ROOT),
        }),
      );
    },
    trace: ({ at: end }) => `
      ${prepared}
      ${reported(0x81, 0n, 0n, end)}
      hlt
      = rflags 0x46
      ${
      used.map((level) =>
        `= mem ${hex(entries[level])} u64 ${
          hex(fresh(level) | (level === leaf && dirty ? 0x60n : 0x20n))
        }`
      ).join("\n")
    }
      ${state(hex(at))}
      ${written}
    `,
  };
});
