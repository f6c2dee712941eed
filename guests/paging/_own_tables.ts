/** A linear address with page tables of its own, and how a guest changes them. */

import type { PagingMode } from "../../mod.ts";

/** The root of the tables that a machine starts with. */
export const ROOT = 0x10000;
/** What the address leads to. */
export const FRAME = 0xb000;
/** What it leads to behind a change. */
export const OTHER_FRAME = 0xc000;
/** A page table, whose first entry leads to the other frame. */
export const OTHER_TABLE = 0x1d000;
/** Room for another root. */
export const OTHER_ROOT = 0xe000;

/** Present, writable, accessed, dirty: nothing is faulted, nothing is to be set. */
export const ALL = 0x63n;
/** A large page, as well. */
export const LARGE = ALL | 0x80n;
/** XD. */
export const NO_EXECUTE = 1n << 63n;

/** The tables of a mode. */
export interface Format {
  /** A linear address that has tables of its own. */
  readonly linear: bigint;
  /** Where its entries are, from the last level up. */
  readonly entries: readonly number[];
  /** Bytes of an entry. */
  readonly size: 4 | 8;
  readonly rootSize: number;
}

/** Tables follow each other in the order in which they are needed: see PageTables. */
export const ownTables: Record<PagingMode, Format> = {
  long: {
    linear: 0x40000000000n,
    entries: [0x19000, 0x18000, 0x17000, ROOT + 0x40],
    size: 8,
    rootSize: 0x1000,
  },
  pae: { linear: 0x40000000n, entries: [0x16000, 0x12000, ROOT + 8], size: 8, rootSize: 0x20 },
  paged: { linear: 0x40000000n, entries: [0x12000, ROOT + 0x400], size: 4, rootSize: 0x1000 },
};

/** Writes an entry: the half that makes it present is the last. */
export const set = (mode: PagingMode, at: number, value: bigint) =>
  mode === "long"
    ? `mov rax, ${value}\nmov [${at}], rax`
    : `${mode === "pae" ? `mov dword [${at + 4}], ${value >> 32n}` : ""}
      mov dword [${at}], ${value & 0xffffffffn}`;

/** Changes a control register; `$` is the register that it goes through. */
export const inRegister = (mode: PagingMode, register: string, change: string) => {
  const a = mode === "long" ? "rax" : "eax";
  return `mov ${a}, ${register}\n${change.replaceAll("$", a)}\nmov ${register}, ${a}`;
};
/** What makes the processor forget: one page, all but global ones, all. */
export const flushes = (mode: PagingMode) => ({
  page: `invlpg [${mode === "long" ? "rbp" : "ebp"}]`,
  root: inRegister(mode, "cr3", ""),
  global: `${inRegister(mode, "cr4", "xor $, 0x80")}\nxor eax, 0x80\nmov cr4, ${
    mode === "long" ? "rax" : "eax"
  }`,
});
