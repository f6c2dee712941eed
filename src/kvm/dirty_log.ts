import { encode } from "../../ffi/abi/layout.ts";
import { kvm_clear_dirty_log, kvm_dirty_log } from "../../ffi/abi/memory.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** Bit of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: reading a log does not clear it. */
const MANUAL_PROTECT = 1n;

/** The dirty logs of a VM's slots, and what they knew before KVM forgot it. */
export class DirtyLog {
  readonly #fd: FileDescriptor;
  readonly #configuration: VmConfiguration;
  readonly #carried = new Map<number, Set<bigint>>();

  /** Made by {@link GuestMemory}. */
  constructor(fd: FileDescriptor, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#configuration = configuration;
  }

  /** KVM_GET_DIRTY_LOG, and what was carried along. */
  get(slot: number, pages: number): bigint[] {
    const now = this.#get(slot, pages);
    const carried = this.#carried.get(slot);
    if (carried === undefined) return now;
    if (!this.#isManual()) this.forget(slot);
    return [...carried.union(new Set(now))].sort((a, b) => a < b ? -1 : 1);
  }

  /** KVM_CLEAR_DIRTY_LOG, and what was carried along. */
  clear(slot: number, firstPage: number, pages: number, which?: bigint): void {
    this.#clear(slot, firstPage, pages, which);
    const carried = this.#carried.get(slot);
    for (const page of carried ?? []) {
      const bit = page - BigInt(firstPage);
      if (bit < 0n || bit >= BigInt(pages)) continue;
      if (which === undefined || (which >> bit & 1n) === 1n) carried!.delete(page);
    }
  }

  /** Drops what was carried along of a slot. */
  forget(slot: number): void {
    this.#carried.delete(slot);
  }

  /** Takes along what KVM knows. */
  carry(slot: number, pages: number): void {
    let now: bigint[];
    try {
      now = this.#get(slot, pages);
    } catch (error) {
      // A VM with a dirty ring keeps no bitmap.
      if (error instanceof KvmError && error.code === "ENXIO") return;
      throw error;
    }
    const carried = this.#carried.get(slot) ?? new Set();
    this.#carried.set(slot, carried.union(new Set(now)));
  }

  /** Clears the log of a slot that was made anew: it may begin with every page. */
  reset(slot: number, pages: number): void {
    if (this.#carried.has(slot) && this.#get(slot, pages).length > 0) this.#clear(slot, 0, pages);
  }

  #isManual(): boolean {
    const enabled = this.#configuration.capabilities.findLast(({ name }) =>
      name === "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"
    );
    return (BigInt(enabled?.args[0] ?? 0) & MANUAL_PROTECT) !== 0n;
  }

  #get(slot: number, pages: number): bigint[] {
    using bitmap = Mapping.anonymous(bitmapSize(pages));
    const view = new DataView(new ArrayBuffer(kvm_dirty_log.size));
    encode(kvm_dirty_log, view, { slot, dirty_bitmap: bitmap.address });
    ioctlBuffer(this.#fd, "KVM_GET_DIRTY_LOG", view, `slot ${slot}`);
    return setBits(bitmap.bytes, pages);
  }

  #clear(slot: number, firstPage: number, pages: number, which?: bigint): void {
    using bitmap = Mapping.anonymous(bitmapSize(pages));
    if (which === undefined) bitmap.bytes.fill(0xff);
    else setBytes(bitmap.bytes, which);
    const view = new DataView(new ArrayBuffer(kvm_clear_dirty_log.size));
    encode(kvm_clear_dirty_log, view, {
      slot,
      num_pages: pages,
      first_page: BigInt(firstPage),
      dirty_bitmap: bitmap.address,
    });
    ioctlBuffer(this.#fd, "KVM_CLEAR_DIRTY_LOG", view, `slot ${slot}`);
  }
}

/** Bytes of a dirty bitmap in whole pages: the kernel writes it in units of 64 bits. */
function bitmapSize(pages: number): number {
  const bytes = Math.ceil(pages / 64) * 8;
  return Math.max(1, Math.ceil(bytes / PAGE_SIZE)) * PAGE_SIZE;
}

function setBytes(bitmap: Uint8Array, bits: bigint): void {
  for (let at = 0; at < bitmap.length; at++) bitmap[at] = Number(bits >> BigInt(8 * at) & 0xffn);
}

function setBits(bitmap: Uint8Array<ArrayBuffer>, pages: number): bigint[] {
  const set: bigint[] = [];
  // Whole words are looked at, so that a bit set beyond the slot's end is seen too.
  const words = new Uint32Array(bitmap.buffer, 0, Math.ceil(pages / 64) * 2);
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    if (word === 0) continue;
    for (let bit = 0; bit < 32; bit++) {
      if (word >>> bit & 1) set.push(BigInt(32 * index + bit));
    }
  }
  return set;
}
