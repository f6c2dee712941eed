/** Page tables as a guest starts with them (SDM 3A chapter 4). */

import { memoryMap, type Region } from "./memory_map.ts";
import type { PagingMode } from "./registers.ts";

/** A mapping that a mode's page tables cannot hold, or page tables that cannot be read. */
export class PageTableError extends Error {
  /** The class's name. */
  override readonly name = "PageTableError";
}

/** Bits of a paging-structure entry (SDM 3A 4.3 to 4.5). */
export const pageEntry = {
  P: 0x1n,
  W: 0x2n,
  U: 0x4n,
  PWT: 0x8n,
  PCD: 0x10n,
  A: 0x20n,
  D: 0x40n,
  PS: 0x80n,
  G: 0x100n,
  XD: 0x8000000000000000n,
} as const;

/** One level of a paging structure. */
export interface PagingLevel {
  /** Lowest bit of the linear address that indexes this level: log2 of what one entry covers. */
  readonly shift: number;
  /** Bits of the linear address that index this level. */
  readonly indexBits: number;
}

/** The shape of a mode's paging structures, from the top down, without the entries' meaning. */
export const pagingLevels: Readonly<Record<PagingMode, readonly PagingLevel[]>> = {
  paged: [{ shift: 22, indexBits: 10 }, { shift: 12, indexBits: 10 }],
  pae: [{ shift: 30, indexBits: 2 }, { shift: 21, indexBits: 9 }, { shift: 12, indexBits: 9 }],
  long: [
    { shift: 39, indexBits: 9 },
    { shift: 30, indexBits: 9 },
    { shift: 21, indexBits: 9 },
    { shift: 12, indexBits: 9 },
  ],
};

/** Size of one entry in bytes. */
export function entrySize(mode: PagingMode): 4 | 8 {
  return mode === "paged" ? 4 : 8;
}

/** A range of linear addresses and what it maps to. */
export interface PageMapping {
  /** First linear address, a multiple of the page size; canonical in `long`, unsigned. */
  readonly virtual: number | bigint;
  /** First physical address, a multiple of the page size; it need not be memory. */
  readonly physical: number | bigint;
  /** Bytes to map, a multiple of the page size; default one page. */
  readonly size?: number | bigint;
  /**
   * Bytes of a page: 0x1000, 0x400000 in `paged`, 0x200000 in `pae` and `long`, 0x40000000 in
   * `long` where CPUID grants it. Default: the largest up to 4 MiB that alignment and size allow.
   */
  readonly pageSize?: number;
  /** R/W; default true. */
  readonly writable?: boolean;
  /** U/S; default what the tables were made with. */
  readonly user?: boolean;
  /** False sets XD, which needs `pae` or `long`; default true. */
  readonly executable?: boolean;
  /** P; default true. An entry that is not present keeps its other bits. */
  readonly present?: boolean;
  /** A; default true, so that a walk writes nothing to memory. */
  readonly accessed?: boolean;
  /** D; default true, so that a walk writes nothing to memory. */
  readonly dirty?: boolean;
  /** Further bits of the entry, such as G, PCD or a reserved one. */
  readonly bits?: bigint;
}

function exact(name: string, value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new PageTableError(`${name} is ${value}; give a safe integer or a bigint`);
  }
  if (value < 0) throw new PageTableError(`${name} is ${value}; give it unsigned`);
  return BigInt(value);
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/**
 * Builds a mode's page tables in a region of guest-physical memory; the region's first page is the
 * top structure. Entries that point to a table grant everything, so that the last one decides.
 *
 * @example
 * ```ts
 * import { PageTables } from "./paging.ts";
 *
 * const tables = new PageTables("long");
 * tables.map({ virtual: 0, physical: 0, size: 0x100000000 });
 * tables.map({ virtual: 0xd0000000, physical: 0x100000000n, executable: false });
 * console.log(tables.root, tables.usesNoExecute); // 65536n true
 * ```
 */
export class PageTables {
  readonly #mode: PagingMode;
  readonly #user: boolean;
  readonly #region: Region;
  readonly #view: DataView<ArrayBuffer>;
  #used = 0x1000;
  #noExecute = false;

  /**
   * Starts with nothing mapped.
   *
   * @param user U/S of the mappings that do not say; default false.
   * @param region Where the tables lie, whole pages below 4 GiB; default `memoryMap.pageTables`.
   */
  constructor(mode: PagingMode, user = false, region: Region = memoryMap.pageTables) {
    this.#mode = mode;
    this.#user = user;
    this.#region = region;
    this.#view = new DataView(new ArrayBuffer(region.size));
  }

  /** Tables of their own with the same mappings. */
  copy(): PageTables {
    const copy = new PageTables(this.#mode, this.#user, this.#region);
    new Uint8Array(copy.#view.buffer).set(new Uint8Array(this.#view.buffer));
    copy.#used = this.#used;
    copy.#noExecute = this.#noExecute;
    return copy;
  }

  /** The value of CR3: the physical address of the top structure. */
  get root(): bigint {
    return BigInt(this.#region.address);
  }

  /** Whether a mapping so far asked for XD, which needs EFER.NXE. */
  get usesNoExecute(): boolean {
    return this.#noExecute;
  }

  /** A copy of the table pages used so far, to be put at the region's address. */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer.slice(0, this.#used));
  }

  /**
   * Maps a range, over whatever was mapped there; a large page of which it takes a part is split.
   *
   * @throws {PageTableError} when an address or the size is negative, not exact or not a multiple of
   * the page size, when the range exceeds what the mode can address, when the mode has no such page
   * size or no XD, and when the region has no page left for another table.
   */
  map(mapping: PageMapping): void {
    const given = this.#pageShift(mapping.pageSize);
    const least = 1n << BigInt(given ?? 12);
    const size = exact("size", mapping.size ?? least);
    let virtual = exact("virtual", mapping.virtual);
    let physical = exact("physical", mapping.physical);
    this.#check({ virtual, physical, size }, least);
    const flags = this.#flags(mapping);
    const large = this.#mode === "paged" ? 22 : 21;
    const end = virtual + size;
    while (virtual < end) {
      const span = 1n << BigInt(large);
      const fits = !((virtual | physical) & (span - 1n)) && end - virtual >= span;
      const shift = given ?? (fits ? large : 12);
      this.#setLeaf(virtual, shift, physical | flags | (shift > 12 ? pageEntry.PS : 0n));
      virtual += 1n << BigInt(shift);
      physical += 1n << BigInt(shift);
    }
  }

  #pageShift(pageSize: number | undefined): number | undefined {
    if (pageSize === undefined) return undefined;
    const shift = Math.log2(pageSize);
    const has = { paged: [12, 22], pae: [12, 21], long: [12, 21, 30] }[this.#mode];
    if (has.includes(shift)) return shift;
    const sizes = has.map((bits) => hex(2 ** bits)).join(", ");
    throw new PageTableError(`mode ${this.#mode} has no pages of ${pageSize} bytes; use ${sizes}`);
  }

  #check(range: Record<"virtual" | "physical" | "size", bigint>, pageSize: bigint): void {
    for (const [name, value] of Object.entries(range)) {
      if (value & (pageSize - 1n)) {
        throw new PageTableError(`${name} ${hex(value)} is not a multiple of ${hex(pageSize)}`);
      }
    }
    if (range.size === 0n) throw new PageTableError("size is 0; map at least one page");
    const last = range.virtual + range.size - 1n;
    const reach = this.#mode === "long"
      ? last >> 47n === 0n || (range.virtual >> 47n === 0x1ffffn && last >> 64n === 0n)
      : last >> 32n === 0n;
    if (!reach) {
      throw new PageTableError(
        `linear addresses ${hex(range.virtual)} to ${hex(last)} are ` +
          (this.#mode === "long" ? "not canonical" : `beyond the 4 GiB of mode ${this.#mode}`),
      );
    }
    const bits = this.#mode === "paged" ? 32n : 52n;
    const end = range.physical + range.size;
    if (end > 1n << bits) {
      throw new PageTableError(
        `physical addresses up to ${
          hex(end - 1n)
        } need more than the ${bits} bits of mode ${this.#mode}`,
      );
    }
  }

  #flags(mapping: PageMapping): bigint {
    let flags = mapping.bits ?? 0n;
    if (flags < 0n || flags >> BigInt(entrySize(this.#mode) * 8)) {
      throw new PageTableError(`bits ${flags} do not fit an entry of mode ${this.#mode}`);
    }
    if (mapping.present ?? true) flags |= pageEntry.P;
    if (mapping.writable ?? true) flags |= pageEntry.W;
    if (mapping.user ?? this.#user) flags |= pageEntry.U;
    if (mapping.accessed ?? true) flags |= pageEntry.A;
    if (mapping.dirty ?? true) flags |= pageEntry.D;
    if (!(mapping.executable ?? true)) {
      if (this.#mode === "paged") {
        throw new PageTableError("mode paged has no XD bit; use pae or long for executable: false");
      }
      this.#noExecute = true;
      flags |= pageEntry.XD;
    }
    return flags;
  }

  #read(at: number): bigint {
    return this.#mode === "paged"
      ? BigInt(this.#view.getUint32(at, true))
      : this.#view.getBigUint64(at, true);
  }

  #write(at: number, entry: bigint): void {
    if (this.#mode === "paged") this.#view.setUint32(at, Number(entry), true);
    else this.#view.setBigUint64(at, entry, true);
  }

  #setLeaf(virtual: bigint, shift: number, leaf: bigint): void {
    const size = entrySize(this.#mode);
    let table = 0;
    for (const level of pagingLevels[this.#mode]) {
      const index = Number(BigInt.asUintN(level.indexBits, virtual >> BigInt(level.shift)));
      const at = table + index * size;
      if (level.shift === shift) return this.#write(at, leaf);
      const entry = this.#read(at);
      const isTable = entry & pageEntry.P && !(entry & pageEntry.PS);
      table = isTable
        ? Number(entry & 0xfffff000n) - this.#region.address
        : this.#newTable(at, level.shift, entry);
    }
  }

  /** Puts a table under the entry at `at`, with the same translations if that was a large page. */
  #newTable(at: number, shift: number, entry: bigint): number {
    const table = this.#used;
    if (table + 0x1000 > this.#region.size) {
      throw new PageTableError(
        `the ${this.#region.size >> 12} pages for page tables at ${
          hex(this.#region.address)
        } are used up; map fewer or larger ranges`,
      );
    }
    this.#used += 0x1000;
    if (entry & pageEntry.PS) {
      const size = entrySize(this.#mode);
      const below = this.#mode === "paged" ? 12 : shift - 9;
      // PAT is bit 12 of a large page and bit 7, where PS was, of a 4 KiB page.
      const pat = entry & 0x1000n ? pageEntry.PS : 0n;
      const part = below === 12 ? (entry & ~pageEntry.PS & ~0x1000n) | pat : entry;
      for (let index = 0; index < 0x1000 / size; index++) {
        this.#write(table + index * size, part + (BigInt(index) << BigInt(below)));
      }
    }
    const address = BigInt(this.#region.address + table);
    // A PDPTE of PAE paging reserves the bits that other levels use for permissions (SDM 3A 4.4.1).
    const isPdpte = this.#mode === "pae" && shift === 30;
    const all = pageEntry.P | pageEntry.W | pageEntry.U | pageEntry.A;
    this.#write(at, address | (isPdpte ? pageEntry.P : all));
    return table;
  }
}
