/** A page walk in software, as the processor does one (SDM 3A 4.3 to 4.7). */

import { entrySize, pageEntry, PageTableError, pagingLevels } from "./paging.ts";
import {
  CR0,
  CR4,
  EFER,
  pageFaultError,
  type PagingMode,
  type SpecialRegisters,
} from "./registers.ts";

/** The access a walk is made for; default a read by the supervisor. */
export interface WalkAccess {
  /** The access writes. */
  readonly write?: boolean;
  /** The access is made in user mode. */
  readonly user?: boolean;
  /** The access fetches an instruction. */
  readonly fetch?: boolean;
  /** RFLAGS.AC, which lifts SMAP from supervisor data accesses. */
  readonly alignmentCheck?: boolean;
  /** MAXPHYADDR, 32 to 52; address bits from there on are reserved. Default 52. */
  readonly physicalAddressBits?: number;
}

/** A paging-structure entry that a walk read. */
export interface WalkedEntry {
  /** Guest-physical address of the entry. */
  readonly address: bigint;
  /** Its value, 4 or 8 bytes. */
  readonly value: bigint;
  /** Bytes of linear address space that it covers. */
  readonly covers: bigint;
}

/** What a walk came to. */
export type Walk =
  | {
    readonly kind: "translated";
    /** Guest-physical address. */
    readonly physical: bigint;
    /** Bytes of the page; 0x100000000 when paging is off. */
    readonly pageSize: number;
    /** R/W in every entry. */
    readonly writable: boolean;
    /** U/S in every entry. */
    readonly user: boolean;
    /** XD in no entry. */
    readonly executable: boolean;
    /** The entries read, from the top down. */
    readonly entries: readonly WalkedEntry[];
  }
  | {
    readonly kind: "page-fault";
    /** The error code #PF pushes, bits in `pageFaultError`. */
    readonly errorCode: number;
    /** The entries read, from the top down. */
    readonly entries: readonly WalkedEntry[];
  }
  | { readonly kind: "not-canonical" };

/** The registers a walk looks at. */
export type WalkRegisters = Pick<SpecialRegisters, "cr0" | "cr3" | "cr4" | "efer">;

function pagingMode(registers: WalkRegisters): PagingMode | undefined {
  if (!(registers.cr0 & CR0.PG)) return undefined;
  if (!(registers.cr4 & CR4.PAE)) return "paged";
  if (!(registers.efer & EFER.LMA)) return "pae";
  if (registers.cr4 & CR4.LA57) {
    throw new PageTableError("CR4.LA57 is set: 5-level paging is not walked here; clear it");
  }
  return "long";
}

/** Reserved bits of one entry; `shift` is its level's, `last` whether it maps a page. */
function reservedBits(
  mode: PagingMode,
  shift: number,
  last: boolean,
  noExecute: boolean,
  addressBits: number,
): bigint {
  if (mode === "paged") {
    // A 4 MiB page's bits 20:13 are physical address bits 39:32 (PSE-36); bit 21 is reserved.
    if (!last || shift !== 22) return 0n;
    const reach = Math.min(Math.max(addressBits - 32, 0), 8);
    return 0x3fe000n & ~(((1n << BigInt(reach)) - 1n) << 13n);
  }
  let reserved = (1n << 52n) - (1n << BigInt(addressBits));
  if (mode === "pae") reserved |= 0x7ff0000000000000n;
  if (mode === "pae" && shift === 30) return reserved | pageEntry.XD | 0x1e6n;
  if (!noExecute) reserved |= pageEntry.XD;
  if (shift === 39) reserved |= pageEntry.PS;
  // Bit 12 of a large page is PAT; the address starts at the page's size.
  if (last && shift > 12) reserved |= (1n << BigInt(shift)) - 0x2000n;
  return reserved;
}

/**
 * Translates a linear address with the tables in `memory`, for an access of the given kind, and
 * checks what the processor checks: presence, reserved bits, R/W with CR0.WP, U/S with SMEP and
 * SMAP, XD with EFER.NXE. Protection keys and 5-level paging are not modelled, and no accessed or
 * dirty bit is set. A reserved bit in a PAE PDPTE, for which the processor refuses to load CR3, is
 * reported as a page fault.
 *
 * @param memory Guest memory from guest-physical address 0.
 * @throws {PageTableError} when a paging structure lies outside `memory`, or CR4.LA57 is set.
 *
 * @example
 * ```ts
 * import { initialMemory, machineState } from "./modes.ts";
 * import { walk } from "./page_walk.ts";
 *
 * const state = machineState("long");
 * const result = walk(initialMemory(state), state.sregs, 0x8000);
 * console.log(result.kind === "translated" && result.physical === 0x8000n); // true
 * ```
 */
export function walk(
  memory: Uint8Array,
  registers: WalkRegisters,
  virtual: number | bigint,
  access: WalkAccess = {},
): Walk {
  const linear = BigInt.asUintN(64, BigInt(virtual));
  const mode = pagingMode(registers);
  if (mode === "long" && ![0n, 0x1ffffn].includes(linear >> 47n)) return { kind: "not-canonical" };
  const everything = { writable: true, user: true, executable: true };
  if (mode === undefined) {
    const physical = BigInt.asUintN(32, linear);
    return { kind: "translated", physical, pageSize: 0x100000000, ...everything, entries: [] };
  }
  const noExecute = (registers.efer & EFER.NXE) !== 0n && mode !== "paged";
  const smep = (registers.cr4 & CR4.SMEP) !== 0n;
  const entries: WalkedEntry[] = [];
  const fault = (cause: number): Walk => {
    let errorCode = cause;
    if (access.write) errorCode |= pageFaultError.W;
    if (access.user) errorCode |= pageFaultError.U;
    if (access.fetch && (noExecute || smep)) errorCode |= pageFaultError.I;
    return { kind: "page-fault", errorCode, entries };
  };
  const { physicalAddressBits = 52 } = access;
  const size = entrySize(mode);
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  let { writable, user, executable } = everything;
  let table = registers.cr3 & (mode === "pae" ? 0xffffffe0n : 0xffffffffff000n);
  if (mode === "paged") table &= 0xffffffffn;
  for (const { shift, indexBits } of pagingLevels[mode]) {
    const index = BigInt.asUintN(indexBits, linear >> BigInt(shift));
    const address = table + index * BigInt(size);
    if (address + BigInt(size) > BigInt(memory.byteLength)) {
      throw new PageTableError(
        `the entry for 0x${linear.toString(16)} is at 0x${address.toString(16)}, outside the ` +
          `${memory.byteLength} bytes of memory given`,
      );
    }
    const at = Number(address);
    const value = size === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
    entries.push({ address, value, covers: 1n << BigInt(shift) });
    if (!(value & pageEntry.P)) return fault(0);
    const isPdpte = mode === "pae" && shift === 30;
    const mayBeLarge = mode === "paged" ? (registers.cr4 & CR4.PSE) !== 0n : shift < 39 && !isPdpte;
    const last = shift === 12 || (mayBeLarge && (value & pageEntry.PS) !== 0n);
    const reserved = reservedBits(mode, shift, last, noExecute, physicalAddressBits);
    if (value & reserved) return fault(pageFaultError.P | pageFaultError.RSVD);
    if (!isPdpte) {
      writable &&= (value & pageEntry.W) !== 0n;
      user &&= (value & pageEntry.U) !== 0n;
      executable &&= !noExecute || !(value & pageEntry.XD);
    }
    if (!last) {
      table = value & 0xffffffffff000n;
      continue;
    }
    const refused = access.user
      ? !user || (access.write && !writable) || (access.fetch && !executable)
      : (access.write && !writable && registers.cr0 & CR0.WP) ||
        (access.fetch && (!executable || (user && smep))) ||
        (!access.fetch && user && registers.cr4 & CR4.SMAP && !access.alignmentCheck);
    if (refused) return fault(pageFaultError.P);
    const offset = BigInt.asUintN(shift, linear);
    let frame = (value & 0xffffffffff000n) >> BigInt(shift) << BigInt(shift);
    if (mode === "paged" && shift === 22) frame |= (value >> 13n & 0xffn) << 32n;
    const pageSize = 2 ** shift;
    const physical = frame | offset;
    return { kind: "translated", physical, pageSize, writable, user, executable, entries };
  }
  throw new PageTableError("unreachable: the last level always maps a page");
}
