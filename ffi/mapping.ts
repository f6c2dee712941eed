import { ArgumentError, integer, oneOf, shown } from "./argument.ts";
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

const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MREMAP_DONTUNMAP = 4;

/** Size of a page of memory on x86, in bytes. */
export const PAGE_SIZE = 0x1000;

/** What this process may do to memory (`mprotect(2)`). */
export type Protection = "none" | "read" | "read-write";

const protections: Record<Protection, number> = {
  none: 0,
  read: 1,
  "read-write": PROT_READ_WRITE,
};

/** What the kernel is told of memory, with the names of `madvise(2)`. */
export type MemoryAdvice =
  | "dontneed"
  | "free"
  | "hugepage"
  | "nohugepage"
  | "cold"
  | "pageout"
  | "populate-read"
  | "populate-write"
  | "collapse";

const advices: Record<MemoryAdvice, number> = {
  dontneed: 4,
  free: 8,
  hugepage: 14,
  nohugepage: 15,
  cold: 20,
  pageout: 21,
  "populate-read": 22,
  "populate-write": 23,
  collapse: 25,
};

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
   * Changes what this process, and with it a guest, may do to pages (`mprotect(2)`). A view that
   * reads pages which are `"none"`, or writes ones which are `"read"`, ends the process.
   *
   * @param offset in bytes; a multiple of 4096
   * @param size in bytes; a multiple of 4096; default all from the offset on
   * @throws {ArgumentError} when offset or size is not a multiple of 4096 within the mapping, or
   * there is no such protection.
   * @throws {SystemCallError} with the errno of `mprotect(2)`.
   * @throws {DisposedError} after disposal.
   */
  protect(protection: Protection, offset: number = 0, size?: number): void {
    const bits = protections[oneOf("the protection", protection, protections)];
    const { address, length } = this.#range(offset, size);
    const c = libc();
    if (c.mprotect(address, length, bits) !== 0) {
      throw new SystemCallError("mprotect", c.errno[0], protection);
    }
  }

  /**
   * Tells the kernel what is to become of pages (`madvise(2)`), such as `"dontneed"`: anonymous
   * memory is zero from then on.
   *
   * @param offset in bytes; a multiple of 4096
   * @param size in bytes; a multiple of 4096; default all from the offset on
   * @throws {ArgumentError} when offset or size is not a multiple of 4096 within the mapping, or
   * there is no such advice.
   * @throws {SystemCallError} with the errno of `madvise(2)`.
   * @throws {DisposedError} after disposal.
   *
   * @example
   * ```ts
   * import { Mapping } from "@trapline/trapline";
   *
   * using memory = Mapping.anonymous(0x2000);
   * memory.bytes.fill(1);
   * memory.advise("dontneed", 0x1000);
   * console.log(memory.bytes[0xfff], memory.bytes[0x1000]); // 1 0
   * ```
   */
  advise(advice: MemoryAdvice, offset: number = 0, size?: number): void {
    const number = advices[oneOf("the advice", advice, advices)];
    const { address, length } = this.#range(offset, size);
    const c = libc();
    if (c.madvise(address, length, number) !== 0) {
      throw new SystemCallError("madvise", c.errno[0], advice);
    }
  }

  /**
   * Moves pages into the place of others of this mapping or of another (`mremap(2)` with
   * MREMAP_DONTUNMAP); where they were is fresh zeroed memory. Both are anonymous.
   *
   * @param offset of the first page, in bytes; a multiple of 4096
   * @param size in bytes; a multiple of 4096
   * @param target whose pages are replaced
   * @param targetOffset of the first of them, in bytes; a multiple of 4096
   * @throws {ArgumentError} when offset or size is not a multiple of 4096 within the mapping.
   * @throws {SystemCallError} with the errno of `mremap(2)`, such as EINVAL when the two overlap.
   * @throws {DisposedError} after disposal.
   */
  movePages(offset: number, size: number, target: Mapping, targetOffset: number): void {
    const { address: from, length } = this.#range(offset, size);
    if (!(target instanceof Mapping)) {
      throw new ArgumentError(`the target of pages is ${shown(target)}: give a Mapping`);
    }
    const { address: to } = target.#range(targetOffset, size);
    const c = libc();
    const flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    const address = c.mremap(from, length, length, flags, to);
    if (address === MAP_FAILED) throw new SystemCallError("mremap", c.errno[0], `${size} bytes`);
  }

  /** Whole pages of this mapping: by default all from the offset on. */
  #range(offset: number, given?: number): { readonly address: bigint; readonly length: bigint } {
    const isWhole = (value: unknown) =>
      Number.isSafeInteger(value) && value as number >= 0 && value as number % PAGE_SIZE === 0;
    const size = given ?? (isWhole(offset) ? this.size - offset : undefined);
    if (!isWhole(offset) || !isWhole(size) || size === 0 || offset + size! > this.size) {
      throw new ArgumentError(
        `${shown(size)} bytes at ${shown(offset)} of a mapping of ${this.size}: ` +
          `give multiples of ${PAGE_SIZE} within it`,
      );
    }
    return { address: this.address + BigInt(offset), length: BigInt(size!) };
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
