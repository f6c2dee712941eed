/** Nested page tables: what a hypervisor's guest takes for physical memory (APM 2 15.25). */

import type { DriveContext } from "../../mod.ts";

/** The top of the nested page tables, in a slot of its own. */
export const ROOT = 0x100000;
/** Tables of the tested address, a page each: its PML4 entry is the root's second. */
export const POINTERS = 0x104000;
/** The page directory. */
export const DIRECTORY = 0x105000;
/** The page table. */
export const TABLE = 0x106000;
/** Another page table. */
export const OTHER_TABLE = 0x107000;
/** The page that is mapped, unless a case says otherwise. */
export const FRAME = 0x108000;
/** Another page. */
export const OTHER_FRAME = 0x109000;

/** The linear address that is tested, and what the guest's own tables make of it. */
export const TESTED = 0x40000000;
/** Guest-physical, and the first that the root's second entry covers. */
export const TESTED_PHYSICAL = 0x8000000000n;

/** The guest's own mapping of {@link TESTED}. */
export const machineOfTested = {
  efer: { set: 0x1000n },
  map: [{ virtual: TESTED, physical: TESTED_PHYSICAL, pageSize: 0x200000 }],
} as const;

/** Present, writable, user, accessed, dirty: nothing is faulted, nothing is to be set. */
export const ALL = 0x67n;

/** Where the entries lie that translate {@link TESTED_PHYSICAL}, from the top down. */
export const entries = {
  pml4: ROOT + 8,
  pointer: POINTERS,
  directory: DIRECTORY,
  table: TABLE,
} as const;

/** One of {@link entries}. */
export type Level = keyof typeof entries;

/** What the entries are unless a case says otherwise. */
export const usual: Readonly<Record<Level, bigint>> = {
  pml4: BigInt(POINTERS) | ALL,
  pointer: BigInt(DIRECTORY) | ALL,
  directory: BigInt(TABLE) | ALL,
  table: BigInt(FRAME) | ALL,
};

const bytes = (...values: bigint[]) => new Uint8Array(BigUint64Array.from(values).buffer);

/**
 * Lays out the nested tables: the first 2 MiB in pages of 4 KiB, equal to the hypervisor's own
 * physical addresses, and the entries of the tested address.
 */
export function prepareTables(
  { vm, write }: DriveContext,
  levels: Partial<Record<Level, bigint>> = {},
  flags = 0,
): void {
  vm.memory.addRam(ROOT, 0x10000, { slot: 1, flags });
  write(ROOT, bytes(BigInt(ROOT + 0x1000) | ALL));
  write(ROOT + 0x1000, bytes(BigInt(ROOT + 0x2000) | ALL));
  write(ROOT + 0x2000, bytes(BigInt(ROOT + 0x3000) | ALL));
  write(
    ROOT + 0x3000,
    bytes(...Array.from({ length: 512 }, (_, page) => BigInt(page) << 12n | ALL)),
  );
  for (const level of Object.keys(entries) as Level[]) {
    write(entries[level], bytes(levels[level] ?? usual[level]));
  }
}

/** What {@link prepareTables} adds to a trace. */
export const prepared = "> slot 0x1 gpa=0x100000 size=0x10000";

/** Exit code of a nested page fault. */
export const NPF = 0x400;
/** Halves and bits of its EXITINFO1: where the fault was met, and as in a page fault's error code. */
export const error = {
  FINAL: 1n << 32n,
  WALK: 1n << 33n,
  P: 1n,
  W: 2n,
  U: 4n,
  RSVD: 8n,
  ID: 0x10n,
} as const;
