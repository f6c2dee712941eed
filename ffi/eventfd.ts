import { unsigned64 } from "./argument.ts";
import { SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./file_descriptor.ts";
import { libc } from "./libc.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const EAGAIN = 11;

/**
 * A 64-bit event counter of the kernel (`eventfd(2)`), which KVM's irqfd and ioeventfd speak.
 *
 * @example
 * ```ts
 * import { EventFd } from "@trapline/trapline";
 *
 * using event = new EventFd();
 * event.signal(2n);
 * console.log(event.take()); // 2n
 * console.log(event.take()); // 0n
 * ```
 */
export class EventFd implements Disposable {
  readonly #descriptor: FileDescriptor;
  readonly #value = new BigUint64Array(1);

  /**
   * Makes a non-blocking counter that starts at zero.
   *
   * @throws {SystemCallError} when the process is out of descriptors.
   * @throws {UnsupportedPlatformError} on a machine that is not x86-64 Linux.
   */
  constructor() {
    const c = libc();
    const number = c.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (number < 0) throw new SystemCallError("eventfd", c.errno[0]);
    this.#descriptor = new FileDescriptor(number, "EventFd");
  }

  /**
   * The file descriptor, for an ioctl that takes one.
   *
   * @throws {DisposedError} after disposal.
   */
  get fd(): number {
    return this.#descriptor.number;
  }

  /**
   * Adds to the counter.
   *
   * @throws {SystemCallError} EAGAIN when the counter would overflow, EINVAL for 2^64-1.
   * @throws {ArgumentError} when the count is not 64 bits.
   * @throws {DisposedError} after disposal.
   */
  signal(count: bigint = 1n): void {
    const c = libc();
    this.#value[0] = unsigned64("a count", count);
    const written = c.write(this.fd, this.#value, 8n);
    if (written < 0n) throw new SystemCallError("write", c.errno[0], "eventfd");
  }

  /**
   * Takes the whole count and leaves zero; never blocks.
   *
   * @throws {SystemCallError} with the errno of `read(2)`.
   * @throws {DisposedError} after disposal.
   */
  take(): bigint {
    const c = libc();
    const read = c.read(this.fd, this.#value, 8n);
    const errno = c.errno[0];
    if (read >= 0n) return this.#value[0];
    if (errno === EAGAIN) return 0n;
    throw new SystemCallError("read", errno, "eventfd");
  }

  /** Whether it has been closed. */
  get disposed(): boolean {
    return this.#descriptor.disposed;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#descriptor[Symbol.dispose]();
  }
}
