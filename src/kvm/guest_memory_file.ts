import { kvm_create_guest_memfd } from "../../ffi/abi/memory.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { unsigned64 } from "../../ffi/argument.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { ioctlBuffer } from "./ioctl.ts";

/**
 * Memory that only guests can reach: the file that KVM_CREATE_GUEST_MEMFD gives (KVM API 4.142).
 *
 * It is bound to a slot with {@link GuestMemory.setSlot2} and cannot be mapped by this process.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * if (vm.checkExtension("KVM_CAP_GUEST_MEMFD") > 0) {
 *   using file = vm.memory.createFile(0x1000);
 *   console.log(file.size); // 4096n
 * }
 * ```
 */
export class GuestMemoryFile implements Disposable {
  readonly #fd: FileDescriptor;
  /** Bytes. */
  readonly size: bigint;
  /** The flags that it was made with. */
  readonly flags: bigint;

  private constructor(fd: FileDescriptor, size: bigint, flags: bigint) {
    this.#fd = fd;
    this.size = size;
    this.flags = flags;
  }

  /**
   * Makes the file; {@link GuestMemory.createFile} is the usual way.
   *
   * @param vm the VM's descriptor
   * @param size bytes; a multiple of 4096
   * @param flags 0; none is defined
   * @throws {KvmError} EINVAL when the size is not so, a flag is unknown, or the VM has none.
   * @throws {ArgumentError} when a number is not 64 bits.
   */
  static create(
    vm: FileDescriptor,
    size: number | bigint,
    flags: number | bigint,
  ): GuestMemoryFile {
    const bytes = unsigned64("the size of a file", size);
    const view = new DataView(new ArrayBuffer(kvm_create_guest_memfd.size));
    const flag = unsigned64("the flags of a file", flags);
    encode(kvm_create_guest_memfd, view, { size: bytes, flags: flag });
    const fd = ioctlBuffer(vm, "KVM_CREATE_GUEST_MEMFD", view, `0x${bytes.toString(16)} bytes`);
    return new GuestMemoryFile(new FileDescriptor(fd, "GuestMemoryFile"), bytes, flag);
  }

  /**
   * The file descriptor.
   *
   * @throws {DisposedError} after disposal.
   */
  get fd(): number {
    return this.#fd.number;
  }

  /** Whether it was closed. */
  get disposed(): boolean {
    return this.#fd.disposed;
  }

  /** Takes the place of a fresh file, under its own number. */
  become(fresh: GuestMemoryFile): void {
    this.#fd.become(fresh.fd);
    fresh[Symbol.dispose]();
  }

  /** Closes it; slots that it is bound to keep the memory. */
  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
