import { ArgumentError, integer, shown } from "./argument.ts";
import { DisposedError } from "./disposed.ts";
import { SystemCallError } from "./errno.ts";
import { libc } from "./libc.ts";

const PROT_READ_WRITE = 0x3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Size of a page of memory on x86, in bytes. */
export const PAGE_SIZE = 0x1000;

/**
 * A piece of this process's address space (`mmap(2)`), such as a guest's memory.
 *
 * Its buffer is live: what a guest writes is seen at once. Disposal first detaches every view of
 * the buffer and then unmaps, so that no access, however late, reaches unmapped memory.
 *
 * @example
 * ```ts
 * import { Mapping } from "@trapline/trapline";
 *
 * using memory = Mapping.anonymous(0x1000);
 * memory.bytes[0] = 0xf4;
 * console.log(memory.view.getUint8(0)); // 244
 * ```
 */
export class Mapping implements Disposable {
  readonly #address: bigint;
  readonly #buffer: ArrayBuffer;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer> | undefined;
  #disposed = false;

  private constructor(address: bigint, readonly size: number) {
    this.#address = address;
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(
      Deno.UnsafePointer.create(address)!,
      size,
    ) as ArrayBuffer;
    this.#bytes = new Uint8Array(this.#buffer);
  }

  /**
   * Maps zeroed memory that only this process sees.
   *
   * @param size in bytes; a multiple of 4096
   * @throws {ArgumentError} when the size is not a positive multiple of 4096.
   * @throws {SystemCallError} ENOMEM when the kernel has no room.
   */
  static anonymous(size: number): Mapping {
    return Mapping.#map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }

  /**
   * Maps zeroed memory that is shared with child processes.
   *
   * @param size in bytes; a multiple of 4096
   * @throws {ArgumentError} when the size is not a positive multiple of 4096.
   * @throws {SystemCallError} ENOMEM when the kernel has no room.
   */
  static shared(size: number): Mapping {
    return Mapping.#map(size, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }

  /**
   * Maps a file descriptor, shared, for reading and writing.
   *
   * @param fd an open descriptor; it may be closed afterwards
   * @param size in bytes; a multiple of 4096
   * @param offset in bytes into the file; a multiple of 4096
   * @throws {ArgumentError} when size or offset is not a multiple of 4096.
   * @throws {SystemCallError} with the errno of `mmap(2)`.
   */
  static ofFd(fd: number, size: number, offset: number = 0): Mapping {
    integer("a file descriptor", fd, -0x80000000, 0x7fffffff);
    return Mapping.#map(size, MAP_SHARED, fd, offset);
  }

  static #map(size: number, flags: number, fd: number, offset: number): Mapping {
    if (!Number.isSafeInteger(size) || size <= 0 || size % PAGE_SIZE !== 0) {
      throw new ArgumentError(
        `a mapping of ${shown(size)} bytes: give a positive multiple of ${PAGE_SIZE}`,
      );
    }
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % PAGE_SIZE !== 0) {
      throw new ArgumentError(
        `a mapping at offset ${shown(offset)}: give a multiple of ${PAGE_SIZE}`,
      );
    }
    const c = libc();
    const address = c.mmap(0n, BigInt(size), PROT_READ_WRITE, flags, fd, BigInt(offset));
    if (address === MAP_FAILED) throw new SystemCallError("mmap", c.errno[0], `${size} bytes`);
    return new Mapping(address, size);
  }

  /**
   * Puts a file descriptor's memory, or fresh zeroed memory, in the place of what is mapped; every
   * view shows the new memory from then on.
   *
   * @param fd an open descriptor; none maps anonymous memory
   * @param offset bytes into the file; a multiple of 4096
   * @throws {SystemCallError} with the errno of `mmap(2)`.
   * @throws {DisposedError} after disposal.
   */
  remap(fd?: number, offset: number = 0): void {
    const c = libc();
    const flags = fd === undefined ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    const address = c.mmap(
      this.address,
      BigInt(this.size),
      PROT_READ_WRITE,
      flags | MAP_FIXED,
      fd ?? -1,
      BigInt(offset),
    );
    if (address === MAP_FAILED) throw new SystemCallError("mmap", c.errno[0], "in place");
  }

  /**
   * Where it lies in this process's address space.
   *
   * @throws {DisposedError} after disposal.
   */
  get address(): bigint {
    this.#check();
    return this.#address;
  }

  /**
   * The memory as bytes; detached (length 0) from disposal on.
   *
   * @throws {DisposedError} after disposal.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    this.#check();
    return this.#bytes;
  }

  /**
   * The memory for reading and writing numbers; x86 is little endian.
   *
   * @throws {DisposedError} after disposal.
   */
  get view(): DataView<ArrayBuffer> {
    this.#check();
    return this.#view ??= new DataView(this.#buffer);
  }

  /** Whether it has been unmapped. */
  get disposed(): boolean {
    return this.#disposed;
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError("Mapping");
  }

  /** Detaches every view of the buffer, then unmaps it. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#buffer.transfer(0);
    libc().munmap(this.#address, BigInt(this.size));
  }
}
