/** Where the page tables of each mode are, and tables for another root. */

import type { DriveContext, PagingMode } from "../../mod.ts";

/** The tables on the way to 0xc000. */
export interface Tables {
  /** From the root to the last one. */
  readonly path: readonly number[];
  /** Free pages, one for each; the last one's address fits into 16 bits. */
  readonly others: readonly number[];
  /** The last table. */
  readonly table: number;
  /** The entry of 0xc000 in it. */
  readonly entry: number;
  /** Bytes of an entry. */
  readonly size: 4 | 8;
  /** A page as large as what a last table maps, and its entry. */
  readonly large: { readonly address: number; readonly size: number; readonly pointer: number };
}

function tablesOf(path: readonly number[], size: 4 | 8): Tables {
  const table = path.at(-1)!;
  const pointer = path.at(-2)!;
  const mapped = 0x1000 / size * 0x1000;
  return {
    path,
    others: path.map((at, level) => at === table ? 0xf000 : 0x17000 + 0x1000 * level),
    table,
    entry: table + 12 * size,
    size,
    large: { address: 3 * mapped, size: mapped, pointer: pointer + 3 * size },
  };
}

/** By mode. */
export const tables: Readonly<Record<PagingMode, Tables>> = {
  paged: tablesOf([0x10000, 0x11000], 4),
  pae: tablesOf([0x10000, 0x11000, 0x15000], 8),
  long: tablesOf([0x10000, 0x11000, 0x12000, 0x16000], 8),
};

/** Makes another root, with tables that map 0xc000 to the page of 0xd000, and all else alike. */
export function makeOtherRoot(
  mode: PagingMode,
  { read, write }: Pick<DriveContext, "read" | "write">,
): void {
  const { path, others, size } = tables[mode];
  path.forEach((address, level) => {
    const copy = read(address, 0x1000);
    const view = new DataView(copy.buffer);
    const last = level === path.length - 1;
    const at = last ? 12 * size : 0;
    const target = last ? 0xd000 : others[level + 1];
    view.setUint32(at, (view.getUint32(at, true) & 0xfff) | target, true);
    write(others[level], copy);
  });
}
