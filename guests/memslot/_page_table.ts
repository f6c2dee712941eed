import type { DriveContext } from "../../mod.ts";

/** A 4 KiB page's entry without its address: present, writable, accessed, dirty. */
export const LEAF = 0x63n;
/** The same, neither accessed nor dirty yet. */
export const FRESH_LEAF = 0x3n;

/** Makes the page at `table` the page table of the linear addresses 0x40000000 to 0x401fffff (long mode). */
export function useAsPageTable({ read, write }: DriveContext, table: bigint): void {
  const entryAt = (address: bigint) => new DataView(read(address, 8).buffer).getBigUint64(0, true);
  const ADDRESS = 0xffff_ffff_f000n;
  const pointers = entryAt(0x10000n) & ADDRESS;
  const directory = entryAt(pointers + 8n) & ADDRESS;
  write(directory, new Uint8Array(BigUint64Array.of(table | LEAF).buffer));
}
