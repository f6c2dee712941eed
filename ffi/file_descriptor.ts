import { DisposedError } from "./disposed.ts";
import { SystemCallError } from "./errno.ts";
import { libc } from "./libc.ts";

const O_RDWR = 0o2;
const O_CLOEXEC = 0o2000000;

/** A file descriptor that is closed when it is disposed, exactly once. */
export class FileDescriptor implements Disposable {
  #number: number;

  /**
   * Takes over an open descriptor.
   *
   * @param number an open descriptor, owned from here on
   * @param what what it stands for, in the words of an error message
   */
  constructor(number: number, readonly what: string) {
    this.#number = number;
  }

  /**
   * Opens a file for reading and writing, with `O_CLOEXEC`.
   *
   * @param what what it stands for, in the words of an error message
   * @throws {SystemCallError} with the errno of `open(2)`.
   * @throws {UnsupportedPlatformError} on a machine that is not x86-64 Linux.
   */
  static open(path: string, what: string = path): FileDescriptor {
    const c = libc();
    const number = c.open(new TextEncoder().encode(`${path}\0`), O_RDWR | O_CLOEXEC);
    if (number < 0) throw new SystemCallError("open", c.errno[0], path);
    return new FileDescriptor(number, what);
  }

  /**
   * The descriptor's number.
   *
   * @throws {DisposedError} after disposal.
   */
  get number(): number {
    if (this.#number < 0) throw new DisposedError(this.what);
    return this.#number;
  }

  /** Whether it has been closed. */
  get disposed(): boolean {
    return this.#number < 0;
  }

  /**
   * Makes this descriptor stand for another open file, under the same number (`dup3(2)`); what it
   * stood for is closed.
   *
   * @param number an open descriptor; it stays open
   * @throws {SystemCallError} with the errno of `dup3(2)`.
   * @throws {DisposedError} after disposal.
   */
  become(number: number): void {
    const c = libc();
    const result = c.dup3(number, this.number, O_CLOEXEC);
    if (result < 0) throw new SystemCallError("dup3", c.errno[0], this.what);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    if (this.#number < 0) return;
    libc().close(this.#number);
    this.#number = -1;
  }
}
