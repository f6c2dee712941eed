import { unsigned64 } from "../../ffi/argument.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { kvm_memory_attributes } from "../../ffi/abi/memory.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { GuestMemoryFile } from "./guest_memory_file.ts";
import { ioctlBuffer } from "./ioctl.ts";
import { withAttributes } from "./memory_attributes.ts";
import type { ConfiguredSlot } from "./memory_slot.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** Files that stand for others: each belongs to the VM that it was made for. */
export interface RenewedFiles extends Disposable {
  /** The file that stands for another one now. */
  of(file: GuestMemoryFile): GuestMemoryFile;
}

/** The memory of a VM that only its guest can reach. */
export class PrivateMemory implements Disposable {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #configuration: VmConfiguration;
  readonly #owned: GuestMemoryFile[] = [];

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#observed = observed;
    this.#configuration = configuration;
  }

  /**
   * Makes a file of memory that only guests can reach, for {@link setSlot2}
   * (KVM_CREATE_GUEST_MEMFD, KVM API 4.142; KVM_CAP_GUEST_MEMFD).
   *
   * @param size bytes; a multiple of 4096
   * @param flags 0; none is defined
   * @throws {KvmError} EINVAL when the size is not so, a flag is unknown, or this VM has no such
   * files.
   * @throws {ArgumentError} when a number is not 64 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  createFile(size: number | bigint, flags: number | bigint = 0): GuestMemoryFile {
    const operands: ActionOperand[] = [["size", unsigned64("the size of a file", size)]];
    return act(
      this.#observed,
      "guest-memfd",
      operands,
      () => GuestMemoryFile.create(this.#fd, size, flags),
    );
  }

  /**
   * Says of guest physical memory what it is (KVM_SET_MEMORY_ATTRIBUTES, KVM API 4.141;
   * KVM_CAP_MEMORY_ATTRIBUTES).
   *
   * @param guestAddress guest physical; a multiple of 4096
   * @param size bytes; a multiple of 4096
   * @param attributes {@link MEMORY_ATTRIBUTE_PRIVATE}, or 0: all attributes of the range
   * @param flags 0; none is defined
   * @throws {KvmError} EINVAL when the range is not so, or this VM has no such attribute.
   * @throws {ArgumentError} when a number is not 64 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  setAttributes(
    guestAddress: bigint | number,
    size: bigint | number,
    attributes: bigint | number,
    flags: bigint | number = 0,
  ): void {
    const value = {
      address: unsigned64("the address of a range", guestAddress),
      size: unsigned64("the size of a range", size),
      attributes: unsigned64("the attributes", attributes),
      flags: unsigned64("the flags", flags),
    };
    const operands: ActionOperand[] = [value.attributes, ["gpa", value.address], [
      "size",
      value.size,
    ]];
    act(this.#observed, "memory-attributes", operands, () => {
      const view = new DataView(new ArrayBuffer(kvm_memory_attributes.size));
      encode(kvm_memory_attributes, view, value);
      ioctlBuffer(this.#fd, "KVM_SET_MEMORY_ATTRIBUTES", view, `0x${value.address.toString(16)}`);
    });
    const { attributes: ranges = [] } = this.#configuration;
    this.#configuration.attributes = withAttributes(ranges, value);
  }

  /**
   * Makes a file as {@link createFile} does, which the VM closes when it is disposed.
   *
   * @throws {KvmError} as {@link createFile}.
   * @throws {DisposedError} after disposal of the VM.
   */
  ownFile(size: bigint): GuestMemoryFile {
    const file = this.createFile(size);
    this.#owned.push(file);
    return file;
  }

  /** Closes what {@link ownFile} made. */
  [Symbol.dispose](): void {
    for (const file of this.#owned.splice(0)) file[Symbol.dispose]();
  }
}

/** The files of slots, each once. */
export function filesOf(slots: readonly ConfiguredSlot[]): GuestMemoryFile[] {
  return [...new Set(slots.flatMap(({ file }) => file ?? []))];
}

/**
 * Makes the files of slots anew, in a VM that has none of them; where one was closed, its slots alone
 * keep the new one.
 *
 * @param vm the VM's descriptor
 * @throws {KvmError} when KVM refuses a file.
 */
export function renewFiles(vm: FileDescriptor, slots: readonly ConfiguredSlot[]): RenewedFiles {
  const closed = new Map<GuestMemoryFile, GuestMemoryFile>();
  for (const file of filesOf(slots)) {
    const fresh = GuestMemoryFile.create(vm, file.size, file.flags);
    if (file.disposed) closed.set(file, fresh);
    else file.become(fresh);
  }
  return {
    of: (file) => closed.get(file) ?? file,
    [Symbol.dispose]: () => closed.forEach((file) => file[Symbol.dispose]()),
  };
}
