import { constants } from "../../ffi/abi/constants.ts";
import { kvm_dirty_gfn } from "../../ffi/abi/memory.ts";
import { Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";

/** A page that a guest wrote (`struct kvm_dirty_gfn`, KVM API 8.29). */
export interface DirtyPage {
  /** Slot number; bits 16 and up are the address space. */
  readonly slot: number;
  /** Index of the page in its slot. */
  readonly page: bigint;
}

const { flags, slot, offset } = kvm_dirty_gfn.fields;

/** Where a vCPU's ring is in the area that it shares. */
const PLACE = constants.KVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE;

/**
 * The ring in which KVM notes the pages that a vCPU writes (KVM_CAP_DIRTY_LOG_RING, KVM API 8.29),
 * mapped from the vCPU.
 *
 * What {@link harvest} takes is written anew only after {@link GuestMemory.resetDirtyRings}, which
 * write-protects the pages again.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * if (vm.checkExtension("KVM_CAP_DIRTY_LOG_RING") > 0) {
 *   vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", 0x4000);
 *   using vcpu = vm.createVcpu();
 *   using ring = vcpu.dirtyRing(0x4000);
 *   console.log(ring.harvest()); // []
 * }
 * ```
 */
export class DirtyRing implements Disposable {
  readonly #memory: Mapping;
  #next = 0;
  #carried: DirtyPage[] = [];
  /** How many pages it can hold. */
  readonly capacity: number;

  /**
   * Maps the ring of a vCPU; {@link Vcpu.dirtyRing} is the usual way.
   *
   * @param vcpu the vCPU's descriptor
   * @param size bytes, as KVM_CAP_DIRTY_LOG_RING was enabled with
   * @throws {ArgumentError} when the size is not a positive multiple of 4096.
   * @throws {SystemCallError} EINVAL when the ring is not of that size, or is not there.
   */
  constructor(vcpu: number, size: number) {
    this.#memory = Mapping.ofFd(vcpu, size, PLACE);
    this.capacity = size / kvm_dirty_gfn.size;
  }

  /**
   * Takes the pages that were written since the last time, oldest first, and marks them as taken.
   *
   * @throws {DisposedError} after disposal.
   */
  harvest(): DirtyPage[] {
    const { view } = this.#memory;
    const pages = this.#carried.splice(0);
    for (let entry = 0; entry < this.capacity; entry++) {
      const at = this.#next * kvm_dirty_gfn.size;
      // KVM sets DIRTY last and clears it only in a reset: what it marks is complete.
      if (view.getUint32(at + flags[0], true) !== constants.KVM_DIRTY_GFN_F_DIRTY) break;
      pages.push({
        slot: view.getUint32(at + slot[0], true),
        page: view.getBigUint64(at + offset[0], true),
      });
      view.setUint32(at + flags[0], constants.KVM_DIRTY_GFN_F_RESET, true);
      this.#next = (this.#next + 1) % this.capacity;
    }
    return pages;
  }

  /**
   * Takes what is in the ring, for {@link harvest} to tell of later, and lets go of its vCPU.
   *
   * @throws {SystemCallError} with the errno of `mmap(2)`.
   * @throws {DisposedError} after disposal.
   */
  release(): void {
    this.#carried = this.harvest();
    this.#memory.remap();
  }

  /**
   * Goes on with the ring of another vCPU, which is empty.
   *
   * @param vcpu the vCPU's descriptor
   * @throws {SystemCallError} with the errno of `mmap(2)`.
   * @throws {DisposedError} after disposal.
   */
  renew(vcpu: number): void {
    this.#memory.remap(vcpu, PLACE);
    this.#next = 0;
  }

  /** Whether it was unmapped. */
  get disposed(): boolean {
    return this.#memory.disposed;
  }

  /** Unmaps it. */
  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
