import { ArgumentError, shown } from "./argument.ts";
import { SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { libc } from "./libc.ts";
import { Mapping, PAGE_SIZE } from "./mapping.ts";

const SYS_USERFAULTFD = 323n;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const EAGAIN = 11;

const UFFD_API = 0xaan;
const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const UFFDIO_COPY = 0xc028aa03;
const REGISTER_MODE_MISSING = 1n;

const EVENT_PAGEFAULT = 0x12;
/** Size of `struct uffd_msg`, in bytes. */
const MESSAGE_SIZE = 32;

/**
 * Memory whose pages are missing until this process supplies them (`userfaultfd(2)`): what touches
 * one waits, KVM's guest and KVM itself too.
 *
 * The thread that is to supply a page must not touch it before, nor look at the whole mapping.
 * Disposal ends all waiting: what is still missing is zero then.
 *
 * @example
 * ```ts
 * import { Mapping, UserFault } from "@trapline/trapline";
 *
 * if (UserFault.allowed()) {
 *   using memory = Mapping.anonymous(0x2000);
 *   using fault = new UserFault(memory);
 *   fault.supply(0x1000, new Uint8Array(0x1000).fill(7));
 *   console.log(memory.bytes[0x1000], fault.touched()); // 7 []
 * }
 * ```
 */
export class UserFault implements Disposable {
  readonly #descriptor: FileDescriptor;
  readonly #memory: Mapping;

  /**
   * Takes over the pages of a mapping that nobody has touched yet.
   *
   * @param memory anonymous memory
   * @throws {SystemCallError} EPERM when this process may not, ENOSYS on a kernel without it, or the
   * errno of the ioctl UFFDIO_REGISTER.
   * @throws {ArgumentError} when it is given no mapping.
   */
  constructor(memory: Mapping) {
    if (!(memory instanceof Mapping)) {
      throw new ArgumentError(`the memory is ${shown(memory)}: give a Mapping`);
    }
    this.#memory = memory;
    this.#descriptor = open();
    try {
      this.#ioctl("UFFDIO_REGISTER", UFFDIO_REGISTER, [
        memory.address,
        BigInt(memory.size),
        REGISTER_MODE_MISSING,
        0n,
      ]);
    } catch (error) {
      this.#descriptor[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether this process may make one that the kernel's own accesses wait for, too. */
  static allowed(): boolean {
    try {
      open()[Symbol.dispose]();
      return true;
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      return false;
    }
  }

  /**
   * Supplies missing pages, and lets go on who waits for them (UFFDIO_COPY).
   *
   * @param offset of the first page in the mapping, in bytes; a multiple of 4096
   * @param content whole pages
   * @throws {ArgumentError} when offset or length is not a multiple of 4096.
   * @throws {SystemCallError} EEXIST when a page is there already, or another errno of the ioctl.
   * @throws {DisposedError} after disposal.
   */
  supply(offset: number, content: Uint8Array<ArrayBuffer>): void {
    const length = content instanceof Uint8Array ? content.length : 0;
    const isPage = Number.isSafeInteger(offset) && offset >= 0 && offset % PAGE_SIZE === 0;
    if (length === 0 || length % PAGE_SIZE !== 0 || !isPage) {
      throw new ArgumentError(
        `${shown(content)} of ${length} bytes at ${shown(offset)}: give whole pages of ` +
          `${PAGE_SIZE} bytes as a Uint8Array`,
      );
    }
    const from = Deno.UnsafePointer.value(Deno.UnsafePointer.of(content));
    this.#ioctl("UFFDIO_COPY", UFFDIO_COPY, [
      this.#memory.address + BigInt(offset),
      from,
      BigInt(length),
      0n,
      0n,
    ]);
  }

  /**
   * Takes the touches of missing pages since the last time, oldest first, as offsets into the mapping
   * in bytes; never waits.
   *
   * @throws {SystemCallError} with the errno of `read(2)`.
   * @throws {DisposedError} after disposal.
   */
  touched(): number[] {
    const c = libc();
    const message = new DataView(new ArrayBuffer(MESSAGE_SIZE));
    const offsets: number[] = [];
    while (true) {
      const bytes = new Uint8Array(message.buffer);
      const read = c.read(this.#descriptor.number, bytes, BigInt(MESSAGE_SIZE));
      const errno = c.errno[0];
      if (read < 0n) {
        if (errno === EAGAIN) return offsets;
        throw new SystemCallError("read", errno, "userfaultfd");
      }
      if (message.getUint8(0) !== EVENT_PAGEFAULT) continue;
      const offset = Number(message.getBigUint64(16, true) - this.#memory.address);
      offsets.push(offset - offset % PAGE_SIZE);
    }
  }

  #ioctl(name: string, number: number, words: readonly bigint[]): void {
    const c = libc();
    const buffer = new Uint8Array(BigUint64Array.from(words).buffer);
    if (c.ioctlBuffer(this.#descriptor.number, number, buffer) < 0) {
      throw new SystemCallError(name, c.errno[0]);
    }
  }

  /** Gives the pages back to the kernel, and lets go on who still waits. */
  [Symbol.dispose](): void {
    this.#descriptor[Symbol.dispose]();
  }
}

function open(): FileDescriptor {
  const c = libc();
  const number = Number(c.syscall(SYS_USERFAULTFD, BigInt(O_CLOEXEC | O_NONBLOCK)));
  if (number < 0) throw new SystemCallError("userfaultfd", c.errno[0]);
  const descriptor = new FileDescriptor(number, "UserFault");
  const api = new Uint8Array(BigUint64Array.of(UFFD_API, 0n, 0n).buffer);
  if (c.ioctlBuffer(number, UFFDIO_API, api) < 0) {
    const errno = c.errno[0];
    descriptor[Symbol.dispose]();
    throw new SystemCallError("UFFDIO_API", errno);
  }
  return descriptor;
}
