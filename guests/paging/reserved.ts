import { asm, defineCases, type PagingMode, type Requirement } from "../../mod.ts";
import { emulated } from "../_ways.ts";

interface Table {
  /** A linear address that has tables of its own. */
  readonly linear: number;
  /** Guest physical addresses of its entries, from the last level up. */
  readonly entries: readonly number[];
}

/** Tables follow each other in the order in which they are needed: see PageTables. */
const tables: Record<PagingMode, Table> = {
  long: { linear: 0x40000000000, entries: [0x19000, 0x18000, 0x17000, 0x10040] },
  pae: { linear: 0x40000000, entries: [0x16000, 0x12000] },
  paged: { linear: 0x40000000, entries: [0x12000, 0x10400] },
};

interface Row {
  readonly mode: PagingMode;
  /** 1 for the last level. */
  readonly level: number;
  /** Bits that are set in the entry. */
  readonly set: bigint;
  /** Bits that are cleared in it. */
  readonly clear?: bigint;
  /** EFER.NXE is clear. */
  readonly noExecuteOff?: true;
  /** The entry is taken for one that grants the access. */
  readonly ignored?: true;
  /** The error code of a read. */
  readonly error?: number;
  readonly requires?: Requirement[];
}

const bit = (number: number) => 1n << BigInt(number);
/** Bits 13 to 20, of which the address of a table has some. */
const LARGE_RESERVED = 0x1fe000n;
const RESERVED = 0x9;
const NOT_PRESENT = 0x0;
const rows: Record<string, Row> = {};

for (const level of [1, 2, 3, 4]) {
  const at = `long-level-${level}`;
  rows[`${at}-bit-51`] = { mode: "long", level, set: bit(51) };
  rows[`${at}-no-execute-off`] = { mode: "long", level, set: bit(63), noExecuteOff: true };
  rows[`${at}-not-present`] = { mode: "long", level, set: 0n, clear: 1n, error: NOT_PRESENT };
  // Nothing else of an entry that is not present counts.
  rows[`${at}-not-present-bit-51`] = {
    mode: "long",
    level,
    set: bit(51),
    clear: 1n,
    error: NOT_PRESENT,
  };
  rows[`${at}-ignored-bits`] = {
    mode: "long",
    level,
    set: bit(9) | bit(10) | bit(11) | bit(52) | bit(58),
    ignored: true,
  };
  rows[`${at}-no-execute`] = { mode: "long", level, set: bit(63), ignored: true };
}
rows["long-level-4-large"] = { mode: "long", level: 4, set: bit(7) };
for (const address of [13, 20, 29]) {
  rows[`long-level-3-large-bit-${address}`] = {
    mode: "long",
    level: 3,
    set: bit(7) | bit(address),
    clear: 0x3fffe000n,
  };
}
for (const address of [13, 20]) {
  rows[`long-level-2-large-bit-${address}`] = {
    mode: "long",
    level: 2,
    set: bit(7) | bit(address),
    clear: LARGE_RESERVED,
  };
}
rows["long-level-1-page-attribute"] = { mode: "long", level: 1, set: bit(7), ignored: true };
rows["long-level-1-global"] = { mode: "long", level: 1, set: bit(8), ignored: true };
rows["long-level-3-global"] = { mode: "long", level: 3, set: bit(8), ignored: true };
// AMD reserves the global bit of the top level (APM 2 5.3.3), Intel ignores it.
rows["long-level-4-global-amd"] = {
  mode: "long",
  level: 4,
  set: bit(8),
  requires: [{ backend: ["svm"] }],
};
rows["long-level-4-global-intel"] = {
  mode: "long",
  level: 4,
  set: bit(8),
  ignored: true,
  requires: [{ backend: ["vmx"] }],
};
for (const level of [1, 2]) {
  for (const number of [51, 52, 62]) {
    rows[`pae-level-${level}-bit-${number}`] = { mode: "pae", level, set: bit(number) };
  }
  rows[`pae-level-${level}-no-execute-off`] = {
    mode: "pae",
    level,
    set: bit(63),
    noExecuteOff: true,
  };
  rows[`pae-level-${level}-ignored-bits`] = {
    mode: "pae",
    level,
    set: bit(9) | bit(10) | bit(11),
    ignored: true,
  };
  rows[`pae-level-${level}-not-present`] = {
    mode: "pae",
    level,
    set: bit(51),
    clear: 1n,
    error: NOT_PRESENT,
  };
  rows[`paged-level-${level}-not-present`] = {
    mode: "paged",
    level,
    set: 0n,
    clear: 1n,
    error: NOT_PRESENT,
  };
  rows[`paged-level-${level}-ignored-bits`] = {
    mode: "paged",
    level,
    set: bit(9) | bit(10) | bit(11),
    ignored: true,
  };
}
rows["pae-level-2-large-bit-13"] = {
  mode: "pae",
  level: 2,
  set: bit(7) | bit(13),
  clear: LARGE_RESERVED,
};
rows["pae-level-2-large-bit-20"] = {
  mode: "pae",
  level: 2,
  set: bit(7) | bit(20),
  clear: LARGE_RESERVED,
};
rows["paged-level-2-large-bit-21"] = {
  mode: "paged",
  level: 2,
  set: bit(7) | bit(21),
  clear: LARGE_RESERVED,
};

const WRITE = 2;

/** PVM, which runs every guest in the emulator, has no 32-bit paging. */
function ways(rows: Readonly<Record<string, Row>>) {
  return Object.fromEntries(
    Object.entries(emulated(rows)).filter(([name, { row }]) =>
      row.mode === "long" || name.endsWith("-forced")
    ),
  );
}

/** A walk meets a reserved bit at the level where it is, says so in the error code, and ignores what is to be ignored. */
export default defineCases("paging/reserved", ways(rows), ({ row, way }) => {
  const { mode, level, set, clear = 0n, noExecuteOff, ignored, requires = [] } = row;
  const { linear, entries } = tables[mode];
  const long = mode === "long";
  const [a, b] = long ? ["rax", "rbx"] : ["eax", "ebx"];
  const error = row.error ?? RESERVED;
  const outcome = (write: boolean) =>
    ignored ? "0xffffffff" : `0x${(write ? error | WRITE : error).toString(16)}`;
  return {
    spec: ["SDM 3A 4.3 to 4.5: formats of paging-structure entries", "SDM 3A 4.7: error code"],
    mode,
    requires: [...way.requires, { cpuid: "NX" }, ...requires],
    machine: {
      map: [{ virtual: linear, physical: 0xc000, size: 0x1000 }],
      efer: noExecuteOff ? { clear: 0x800n } : mode === "pae" ? { set: 0x800n } : {},
    },
    registers: { rdi: 0xa000n, rdx: 0x77n },
    handlers: { 14: "handler" },
    guest: asm`
      mov ${b}, ${linear + 4}
      mov ecx, -1
      mov esi, after_read
      ${way.prefix}
      mov al, [${b}]
      after_read:
      mov [0xa000], ecx
      mov ecx, -1
      mov esi, after_write
      ${way.prefix}
      mov [${b} + 4], dl
      after_write:
      mov [0xa008], ecx
      xor esi, esi
      xor ${a}, ${a}
      hlt
      handler:
      pop ${long ? "rcx" : "ecx"}
      mov ${a}, cr2
      mov [0xa010], ${a}
      mov ${long ? "[rsp], rsi" : "[esp], esi"}
      ${long ? "iretq" : "iretd"}
    `,
    drive({ read, write }) {
      const at = entries[level - 1];
      const size = mode === "paged" ? 4 : 8;
      const bytes = new Uint8Array(8);
      bytes.set(read(at, size));
      const view = new DataView(bytes.buffer);
      view.setBigUint64(0, (view.getBigUint64(0, true) & ~clear) | set, true);
      write(at, bytes.slice(0, size));
    },
    trace: `
      hlt
      = rbx 0x${(linear + 4).toString(16)}
      = rcx *
      = rflags *
      = mem 0xa000 u32 [${outcome(false)} 0x0 ${outcome(true)}]
      ${ignored ? "= mem 0xc008 u8 0x77" : `= mem 0xa010 u64 0x${(linear + 8).toString(16)}`}
      ${ignored ? "" : `= cr2 0x${(linear + 8).toString(16)}`}
      ${ignored ? "" : `= mem 0x7f80 u64 [${"* ".repeat(16)}]`}
      ${mode === "pae" ? "= mem 0x10000 u8 *\n= mem 0x10008 u8 *" : ""}
    `,
  };
});
