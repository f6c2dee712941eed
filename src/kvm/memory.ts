import {
  ArgumentError,
  integer,
  object,
  shown,
  unsigned32,
  unsigned64,
} from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { kvm_userspace_memory_region, kvm_userspace_memory_region2 } from "../../ffi/abi/memory.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { DirtyLog } from "./dirty_log.ts";
import { GuestMemoryFile } from "./guest_memory_file.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import {
  checkSlot,
  type ConfiguredSlot,
  describe,
  MEMORY_LOG_DIRTY_PAGES,
  type MemorySlot,
  type MemorySlot2,
  place,
  type Placed,
} from "./memory_slot.ts";
import { PrivateMemory, renewFiles } from "./private_memory.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

interface Backed {
  readonly start: bigint;
  readonly size: bigint;
  readonly memory: Mapping;
  readonly offset: number;
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
export class GuestMemory extends PrivateMemory {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #slots = new Map<number, Backed>();
  readonly #configured = new Map<number, ConfiguredSlot>();
  readonly #dirty: DirtyLog;
  readonly #owned: Mapping[] = [];
  #disposed = false;

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    super(fd, observed, configuration);
    this.#fd = fd;
    this.#observed = observed;
    this.#dirty = new DirtyLog(fd, configuration);
  }

  /**
   * Creates, moves, changes or (size 0) deletes a slot (KVM_SET_USER_MEMORY_REGION, KVM API 4.35).
   *
   * @throws {KvmError} EINVAL, EEXIST and others of the API document when KVM refuses.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM or of the memory.
   */
  setSlot(slot: MemorySlot): void {
    this.#set("slot", slot, (placed) => this.#setRegion(placed));
  }

  /**
   * The same with memory that only the guest can reach (KVM_SET_USER_MEMORY_REGION2, KVM API 4.140;
   * KVM_CAP_USER_MEMORY2).
   *
   * @throws {KvmError} EINVAL, EEXIST and others of the API document when KVM refuses.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM, of the memory or of the file.
   */
  setSlot2(slot: MemorySlot2): void {
    const { file, fileOffset = 0 } = object("the slot", slot);
    if (file !== undefined && !(file instanceof GuestMemoryFile)) {
      throw new ArgumentError(`the file of a slot is ${shown(file)}: give a GuestMemoryFile`);
    }
    this.#set("slot2", slot, (placed) => this.#setRegion2(placed, file, fileOffset));
  }

  #setRegion2(placed: Placed, file?: GuestMemoryFile, fileOffset: bigint | number = 0): void {
    const view = new DataView(new ArrayBuffer(kvm_userspace_memory_region2.size));
    encode(kvm_userspace_memory_region2, view, {
      ...placed,
      flags: (placed.flags | (file === undefined ? 0 : constants.KVM_MEM_GUEST_MEMFD)) >>> 0,
      guest_memfd_offset: unsigned64("the offset into a file", fileOffset),
      guest_memfd: file?.fd ?? 0,
    });
    ioctlBuffer(this.#fd, "KVM_SET_USER_MEMORY_REGION2", view, describe(placed));
  }

  #set(action: string, slot: MemorySlot2, call: (placed: Placed) => void): void {
    this.#check();
    const configured = checkSlot(slot);
    const { slot: number, guestAddress: start, size, memory, offset = 0, flags = 0 } = configured;
    const operands: ActionOperand[] = [number, ["gpa", start], ["size", size]];
    if (flags !== 0) operands.push(["flags", flags]);
    act(this.#observed, action, operands, () => {
      call(place(configured));
      // Before the observer hears of it, so that it finds the slot as it is now.
      this.#configured.delete(number);
      if (size === 0n || (flags & MEMORY_LOG_DIRTY_PAGES) === 0) this.#dirty.forget(number);
      if (size === 0n) this.#slots.delete(number);
      else {
        this.#configured.set(number, configured);
        if (memory instanceof Mapping) this.#slots.set(number, { start, size, memory, offset });
      }
    });
  }

  #setRegion(placed: Placed): void {
    encode(kvm_userspace_memory_region, region, placed);
    ioctlBuffer(this.#fd, "KVM_SET_USER_MEMORY_REGION", region, describe(placed));
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
    const slots = this.configuredSlots();
    using files = renewFiles(this.#fd, slots);
    for (const slot of slots) {
      if (slot.file === undefined) this.#setRegion(place(slot));
      else this.#setRegion2(place(slot), files.of(slot.file), slot.fileOffset);
    }
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
   * @throws {ArgumentError} when the size is not a positive multiple of 4096.
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
   * @throws {ArgumentError} when the size is not a positive multiple of 4096.
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
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  bytes(guestAddress: bigint | number, size: number): Uint8Array<ArrayBuffer> {
    this.#check();
    const address = unsigned64("a guest physical address", guestAddress);
    integer("a size", size, 0, Number.MAX_SAFE_INTEGER);
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
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  dirtyLog(slot: number, pages: number): bigint[] {
    checkLog(slot, pages);
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
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  clearDirtyLog(slot: number, firstPage: number, pages: number, which?: bigint): void {
    checkLog(slot, pages);
    integer("the first page", firstPage, 0, Number.MAX_SAFE_INTEGER);
    if (which !== undefined && typeof which !== "bigint") {
      throw new ArgumentError(`the pages to clear are ${shown(which)}: give a bigint`);
    }
    const operands: ActionOperand[] = [slot, ["first", firstPage], ["pages", pages]];
    if (which !== undefined) operands.push(["which", which]);
    act(this.#observed, "clear-dirty-log", operands, () => {
      this.#dirty.clear(slot, firstPage, pages, which);
    });
  }

  /**
   * Gives KVM back what was harvested from the rings of all vCPUs, and write-protects those pages
   * again (KVM_RESET_DIRTY_RINGS, KVM API 8.29).
   *
   * @returns how many pages
   * @throws {KvmError} EINVAL unless KVM_CAP_DIRTY_LOG_RING is enabled.
   * @throws {DisposedError} after disposal of the VM.
   */
  resetDirtyRings(): number {
    return act(
      this.#observed,
      "reset-dirty-rings",
      [],
      () => ioctlValue(this.#fd, "KVM_RESET_DIRTY_RINGS"),
      (pages) => BigInt(pages),
    );
  }

  /** Unmaps what {@link addRam} mapped. The VM calls it when its own descriptor is closed. */
  override [Symbol.dispose](): void {
    this.#disposed = true;
    this.#slots.clear();
    this.#configured.clear();
    super[Symbol.dispose]();
    for (const memory of this.#owned.splice(0)) memory[Symbol.dispose]();
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError("GuestMemory");
  }
}

/** As many pages as a slot can have. */
const MAXIMUM_LOG = 2 ** 31 - 1;

function checkLog(slot: number, pages: number): void {
  unsigned32("the number of a slot", slot);
  integer("the pages of a slot", pages, 0, MAXIMUM_LOG);
}
