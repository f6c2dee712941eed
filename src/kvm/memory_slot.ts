import { integer, object, unsigned32, unsigned64 } from "../../ffi/argument.ts";
import type { ValueOf } from "../../ffi/abi/layout.ts";
import type { kvm_userspace_memory_region } from "../../ffi/abi/memory.ts";
import { Mapping } from "../../ffi/mapping.ts";
import type { GuestMemoryFile } from "./guest_memory_file.ts";

/** Flag of a slot: log which pages are written (KVM_MEM_LOG_DIRTY_PAGES). */
export const MEMORY_LOG_DIRTY_PAGES = 1;
/** Flag of a slot: the guest may only read; a write becomes an MMIO exit (KVM_MEM_READONLY). */
export const MEMORY_READONLY = 2;
/** Attribute of memory: it is private to the guest (KVM_MEMORY_ATTRIBUTE_PRIVATE). */
export const MEMORY_ATTRIBUTE_PRIVATE = 8;

/** A memory slot: guest physical addresses backed by memory of this process (KVM API 4.35). */
export interface MemorySlot {
  /** Slot number; bits 16 and up are the address space. */
  readonly slot: number;
  /** First guest physical address; a multiple of 4096. */
  readonly guestAddress: bigint | number;
  /** Bytes; a multiple of 4096. 0 deletes the slot. */
  readonly size: bigint | number;
  /** Host memory behind it, or its address where a test wants a wrong one. */
  readonly memory?: Mapping | bigint;
  /** Bytes into that memory. */
  readonly offset?: number;
  /** {@link MEMORY_LOG_DIRTY_PAGES}, {@link MEMORY_READONLY}. */
  readonly flags?: number;
}

/** A memory slot that may be bound to a {@link GuestMemoryFile} too (KVM API 4.140). */
export interface MemorySlot2 extends MemorySlot {
  /** Where its private memory is; sets KVM_MEM_GUEST_MEMFD. */
  readonly file?: GuestMemoryFile;
  /** Bytes into that file; a multiple of 4096. */
  readonly fileOffset?: bigint | number;
}

/** A slot as it was set, its memory and all. */
export interface ConfiguredSlot extends MemorySlot2 {
  /** First guest physical address. */
  readonly guestAddress: bigint;
  /** Bytes. */
  readonly size: bigint;
}

/** A slot as both structures of it have it. */
export type Placed = ValueOf<typeof kvm_userspace_memory_region>;

/** A slot in the words of an error. */
export function describe({ slot, guest_phys_addr, memory_size }: Placed): string {
  return `slot ${slot} at 0x${guest_phys_addr.toString(16)}, 0x${memory_size.toString(16)} bytes`;
}

/** A slot whose numbers are known to fit its structure. */
export function checkSlot(given: MemorySlot2): ConfiguredSlot {
  const { slot, guestAddress, size, memory, offset = 0, flags = 0 } = object("the slot", given);
  unsigned32("the number of a slot", slot);
  unsigned32("the flags of a slot", flags);
  integer("the offset into a slot's memory", offset, 0, Number.MAX_SAFE_INTEGER);
  if (!(memory instanceof Mapping)) unsigned64("the memory of a slot", memory ?? 0n);
  return {
    ...given,
    guestAddress: unsigned64("the address of a slot", guestAddress),
    size: unsigned64("the size of a slot", size),
  };
}

/** The numbers of a slot as KVM takes them. */
export function place(slot: ConfiguredSlot): Placed {
  const { guestAddress, size, memory, offset = 0, flags = 0 } = slot;
  const base = memory instanceof Mapping ? memory.address : memory ?? 0n;
  return {
    slot: slot.slot,
    flags,
    guest_phys_addr: guestAddress,
    memory_size: size,
    userspace_addr: BigInt.asUintN(64, base + BigInt(offset)),
  };
}
