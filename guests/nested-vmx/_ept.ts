/** Extended page tables for a nested guest: the identity map of 4 GiB, but for what a case changes. */

import type { DriveContext } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import { quadwords, Secondary, secondary } from "./_vmx.ts";

/** The top table, and the others behind it. */
export const EPT = { top: 0x100000, pointers: 0x101000, directory: 0x102000, table: 0x103000 };
/** Pages that the nested guest's addresses may be mapped to: all 0x11, and all 0x22. */
export const PAGES = [0x108000, 0x109000] as const;
/** Bytes of the slot at {@link EPT}. */
const SIZE = 0x10000;

/** Access rights of an entry: read, write, execute. */
export const R = 1, W = 2, X = 4;
/** Memory type write-back, in the entry of a page. */
export const WB = 6 << 3;
/** The entry maps a large page. */
export const LARGE = 1 << 7;
/** The nested guest's page that the cases change, and its entry in the table. */
export const PAGE = 0xf000;
/** Where the entry of {@link PAGE} lies. */
export const ENTRY = EPT.table + 0xf * 8;

/** The fields of a VMCS with these tables. */
export function eptFields(secondaryBits = 0, pointerBits = 0): Fields {
  return {
    ...secondary(Secondary.ept | secondaryBits),
    eptPointer: EPT.top | 0x1e | pointerBits,
  };
}

/** Adds the slot and writes the tables: 4 KiB pages below 2 MiB, and large pages above. */
export function writeEpt(
  { vm, write }: Pick<DriveContext, "vm" | "write">,
  changes: Readonly<Record<number, bigint | number>> = {},
): void {
  vm.memory.addRam(EPT.top, SIZE, { slot: 1 });
  const all = R | W | X;
  const list = (value: (index: number) => bigint | number) =>
    quadwords(Array.from({ length: 512 }, (_, index) => value(index)));
  write(EPT.top, quadwords([EPT.pointers | all]));
  write(
    EPT.pointers,
    quadwords([EPT.directory | all, ...[1n, 2n, 3n].map((gib) => gib << 30n | 0xb7n)]),
  );
  write(
    EPT.directory,
    list((index) => index === 0 ? EPT.table | all : index << 21 | LARGE | WB | all),
  );
  write(EPT.table, list((index) => index << 12 | WB | all));
  write(PAGES[0], new Uint8Array(0x1000).fill(0x11));
  write(PAGES[1], new Uint8Array(0x1000).fill(0x22));
  for (const [address, entry] of Object.entries(changes)) {
    write(Number(address), quadwords([entry]));
  }
}

/** The line that the slot makes. */
export const eptSlot = `> slot 0x1 gpa=0x${EPT.top.toString(16)} size=0x${SIZE.toString(16)}`;
