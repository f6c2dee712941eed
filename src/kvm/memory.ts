import { encode } from "../../ffi/abi/layout.ts";
import { kvm_userspace_memory_region } from "../../ffi/abi/memory.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { DirtyLog } from "./dirty_log.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** Flag of a slot: log which pages are written (KVM_MEM_LOG_DIRTY_PAGES). */
export const MEMORY_LOG_DIRTY_PAGES = 1;
/** Flag of a slot: the guest may only read; a write becomes an MMIO exit (KVM_MEM_READONLY). */
export const MEMORY_READONLY = 2;

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

interface Backed {
  readonly start: bigint;
  readonly size: bigint;
  readonly memory: Mapping;
  readonly offset: number;
}

/** A slot as it was set, its memory and all. */
export interface ConfiguredSlot extends MemorySlot {
  readonly guestAddress: bigint;
  readonly size: bigint;
}

/** Thrown when guest memory is accessed from the host where no slot backs it. */
export class GuestAddressError extends RangeError {
  /** The class's name. */
  override readonly name = "GuestAddressError";

  /**
   * Says what was accessed.
   *
   * @param address guest physical
   * @param size bytes
   */
  constructor(readonly address: bigint, readonly size: number) {
    super(
      `no single slot backs guest physical 0x${address.toString(16)} + ${size} bytes: ` +
        "add memory there with addRam or setSlot",
    );
  }
}

/** Shared by all VMs: the ioctl is done with it when it returns. */
const region = new DataView(new ArrayBuffer(kvm_userspace_memory_region.size));

/** The guest physical memory of a VM: its slots, their contents and their dirty logs. */
export class GuestMemory {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #slots = new Map<number, Backed>();
  readonly #configured = new Map<number, ConfiguredSlot>();
  readonly #dirty: DirtyLog;
  readonly #owned: Mapping[] = [];
  #disposed = false;

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#observed = observed;
    this.#dirty = new DirtyLog(fd, configuration);
  }

  /**
   * Creates, moves, changes or (size 0) deletes a slot (KVM_SET_USER_MEMORY_REGION, KVM API 4.35).
   *
   * @throws {KvmError} EINVAL, EEXIST and others of the API document when KVM refuses.
   * @throws {DisposedError} after disposal of the VM or of the memory.
   */
  setSlot(slot: MemorySlot): void {
    this.#check();
    const start = BigInt(slot.guestAddress);
    const size = BigInt(slot.size);
    const { memory, offset = 0, flags = 0 } = slot;
    const operands: ActionOperand[] = [slot.slot, ["gpa", start], ["size", size]];
    if (flags !== 0) operands.push(["flags", flags]);
    act(this.#observed, "slot", operands, () => {
      this.#setRegion({ ...slot, guestAddress: start, size });
      // Before the observer hears of it, so that it finds the slot as it is now.
      this.#configured.delete(slot.slot);
      if (size === 0n || (flags & MEMORY_LOG_DIRTY_PAGES) === 0) this.#dirty.forget(slot.slot);
      if (size === 0n) this.#slots.delete(slot.slot);
      else {
        this.#configured.set(slot.slot, { ...slot, guestAddress: start, size });
        if (memory instanceof Mapping) this.#slots.set(slot.slot, { start, size, memory, offset });
      }
    });
  }

  #setRegion({ slot, guestAddress, size, memory, offset = 0, flags = 0 }: ConfiguredSlot): void {
    const base = memory instanceof Mapping ? memory.address : memory ?? 0n;
    encode(kvm_userspace_memory_region, region, {
      slot,
      flags,
      guest_phys_addr: guestAddress,
      memory_size: size,
      userspace_addr: base + BigInt(offset),
    });
    ioctlBuffer(
      this.#fd,
      "KVM_SET_USER_MEMORY_REGION",
      region,
      `slot ${slot} at 0x${guestAddress.toString(16)}, 0x${size.toString(16)} bytes`,
    );
  }

  /**
   * The slots as they were set, in the order in which they were.
   *
   * @throws {DisposedError} after disposal of the VM.
   */
  configuredSlots(): ConfiguredSlot[] {
    this.#check();
    return [...this.#configured.values()];
  }

  /**
   * Puts the slots over their memory again, in a VM that has none of them.
   *
   * @throws {KvmError} when KVM refuses a slot.
   * @throws {DisposedError} after disposal of the VM.
   */
  renewSlots(): void {
    for (const slot of this.configuredSlots()) this.#setRegion(slot);
    for (const [slot, pages] of this.#loggedSlots()) this.#dirty.reset(slot, pages);
  }

  /**
   * Takes the pages that the dirty logs know of, for {@link dirtyLog} to tell of later, when KVM has
   * forgotten them.
   *
   * @throws {DisposedError} after disposal of the VM.
   */
  carryDirtyLogs(): void {
    for (const [slot, pages] of this.#loggedSlots()) this.#dirty.carry(slot, pages);
  }

  #loggedSlots(): [slot: number, pages: number][] {
    return this.configuredSlots()
      .filter(({ flags = 0 }) => (flags & MEMORY_LOG_DIRTY_PAGES) !== 0)
      .map(({ slot, size }) => [slot, Number(size / BigInt(PAGE_SIZE))]);
  }

  /**
   * Maps fresh zeroed memory for slots to come; the VM unmaps it when it is disposed.
   *
   * @param size bytes; a multiple of 4096
   * @throws {RangeError} when the size is not a positive multiple of 4096.
   * @throws {SystemCallError} ENOMEM when the kernel has no room.
   */
  map(size: number): Mapping {
    this.#check();
    const memory = Mapping.anonymous(size);
    this.#owned.push(memory);
    return memory;
  }

  /**
   * Maps fresh zeroed memory and puts a slot over it; the VM unmaps it when it is disposed.
   *
   * @param guestAddress guest physical; a multiple of 4096
   * @param size bytes; a multiple of 4096
   * @throws {RangeError} when the size is not a positive multiple of 4096.
   * @throws {KvmError} when KVM refuses the slot.
   * @throws {DisposedError} after disposal of the VM.
   */
  addRam(
    guestAddress: bigint | number,
    size: number,
    options: { slot?: number; flags?: number } = {},
  ): Mapping {
    const memory = this.map(size);
    this.setSlot({
      slot: options.slot ?? this.#freeSlot(),
      guestAddress,
      size,
      memory,
      flags: options.flags,
    });
    return memory;
  }

  #freeSlot(): number {
    let slot = 0;
    while (this.#slots.has(slot)) slot++;
    return slot;
  }

  /**
   * The live bytes behind guest physical memory.
   *
   * @param size bytes
   * @throws {GuestAddressError} when no single slot backs the whole range.
   * @throws {DisposedError} after disposal of the VM.
   */
  bytes(guestAddress: bigint | number, size: number): Uint8Array<ArrayBuffer> {
    this.#check();
    const address = BigInt(guestAddress);
    for (const { start, size: length, memory, offset } of this.#slots.values()) {
      if (address >= start && address + BigInt(size) <= start + length) {
        const at = offset + Number(address - start);
        return memory.bytes.subarray(at, at + size);
      }
    }
    throw new GuestAddressError(address, size);
  }

  /**
   * The slots that the host can reach, by number: where each starts and its live bytes.
   *
   * @throws {DisposedError} after disposal of the VM.
   */
  slots(): { slot: number; guestAddress: bigint; bytes: Uint8Array<ArrayBuffer> }[] {
    this.#check();
    return [...this.#slots].map(([slot, { start, size, memory, offset }]) => ({
      slot,
      guestAddress: start,
      bytes: memory.bytes.subarray(offset, offset + Number(size)),
    }));
  }

  /**
   * Fetches and, unless manual protection is on, clears the dirty log of a slot
   * (KVM_GET_DIRTY_LOG, KVM API 4.8).
   *
   * @param pages how many pages the slot has
   * @returns the indices of the pages written since the last time, ascending
   * @throws {KvmError} ENOENT when the slot does not exist or keeps no log.
   * @throws {DisposedError} after disposal of the VM.
   */
  dirtyLog(slot: number, pages: number): bigint[] {
    return act(this.#observed, "dirty-log", [slot], () => {
      return this.#dirty.get(slot, pages);
    }, (dirty) => dirty);
  }

  /**
   * Clears pages of a dirty log under manual protection (KVM_CLEAR_DIRTY_LOG, KVM API 4.117).
   *
   * @param firstPage a multiple of 64
   * @param pages a multiple of 64, unless it reaches the end of the slot
   * @param which the pages to clear, bit 0 for the first of them; default all
   * @throws {KvmError} ENOENT when the slot does not exist or keeps no log, EINVAL when a number is
   * not aligned or beyond the slot.
   */
  clearDirtyLog(slot: number, firstPage: number, pages: number, which?: bigint): void {
    const operands: ActionOperand[] = [slot, ["first", firstPage], ["pages", pages]];
    if (which !== undefined) operands.push(["which", which]);
    act(this.#observed, "clear-dirty-log", operands, () => {
      this.#dirty.clear(slot, firstPage, pages, which);
    });
  }

  /** Unmaps what {@link addRam} mapped. The VM calls it when its own descriptor is closed. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#slots.clear();
    this.#configured.clear();
    for (const memory of this.#owned.splice(0)) memory[Symbol.dispose]();
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError("GuestMemory");
  }
}
