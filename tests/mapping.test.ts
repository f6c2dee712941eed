import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { ArgumentError } from "../ffi/argument.ts";
import { DisposedError } from "../ffi/disposed.ts";
import { SystemCallError } from "../ffi/errno.ts";
import { FileDescriptor } from "../ffi/file_descriptor.ts";
import { Mapping, PAGE_SIZE } from "../ffi/mapping.ts";
import { TemporaryFolder } from "./host.ts";

Deno.test("a mapping is zeroed, writable memory of its size", () => {
  using mapping = Mapping.anonymous(2 * PAGE_SIZE);
  assertEquals([mapping.size, mapping.bytes.length, mapping.view.byteLength], [
    0x2000,
    0x2000,
    0x2000,
  ]);
  assertEquals(mapping.bytes.every((byte) => byte === 0), true);
  mapping.bytes.set([1, 2, 3, 4], PAGE_SIZE);
  assertEquals(mapping.view.getUint32(PAGE_SIZE, true), 0x04030201);
});

Deno.test("a mapping has a page-aligned address of its own", () => {
  using one = Mapping.anonymous(PAGE_SIZE);
  using other = Mapping.shared(PAGE_SIZE);
  assertEquals([one.address % 0x1000n, other.address % 0x1000n], [0n, 0n]);
  assertNotEquals(one.address, 0n);
  assertNotEquals(one.address, other.address);
  one.bytes[0] = 7;
  assertEquals(other.bytes[0], 0);
});

Deno.test("the bytes are live: another view of the address sees them", () => {
  using mapping = Mapping.anonymous(PAGE_SIZE);
  mapping.bytes[5] = 0x5a;
  const other = new Deno.UnsafePointerView(Deno.UnsafePointer.create(mapping.address)!);
  assertEquals(other.getUint8(5), 0x5a);
});

for (const size of [0, -4096, 1, 4095, 4097, 4096.5, NaN, Infinity, 2 ** 53]) {
  Deno.test(`a mapping of ${size} bytes is refused before any call`, () => {
    assertThrows(() => Mapping.anonymous(size), RangeError, `${size} bytes`);
    assertThrows(() => Mapping.shared(size), RangeError, "positive multiple of 4096");
  });
}

for (const offset of [-4096, 1, 4095, NaN]) {
  Deno.test(`a mapping at offset ${offset} is refused before any call`, () => {
    assertThrows(() => Mapping.ofFd(0, PAGE_SIZE, offset), RangeError, `offset ${offset}`);
  });
}

Deno.test("a mapping that the kernel has no room for is ENOMEM with the size", () => {
  const error = assertThrows(() => Mapping.anonymous(2 ** 52), SystemCallError);
  assertEquals([error.call, error.code, error.errno], ["mmap", "ENOMEM", 12]);
  assertMatch(error.message, /4503599627370496 bytes/);
});

Deno.test("a mapping of a bad descriptor is EBADF", () => {
  const error = assertThrows(() => Mapping.ofFd(-1, PAGE_SIZE), SystemCallError);
  assertEquals([error.call, error.code], ["mmap", "EBADF"]);
});

Deno.test("a mapping of a file is shared with it, from its offset on, and outlives the descriptor", () => {
  using folder = new TemporaryFolder();
  const path = folder.write("pages", "");
  Deno.truncateSync(path, 3 * PAGE_SIZE);
  const fd = FileDescriptor.open(path);
  using mapping = Mapping.ofFd(fd.number, PAGE_SIZE, 2 * PAGE_SIZE);
  fd[Symbol.dispose]();
  mapping.bytes[1] = 0x42;
  assertEquals(Deno.readFileSync(path)[2 * PAGE_SIZE + 1], 0x42);
});

Deno.test("views taken before disposal are detached by it", () => {
  const mapping = Mapping.anonymous(PAGE_SIZE);
  const { bytes, view } = mapping;
  const part = bytes.subarray(16, 32);
  const words = new Uint32Array(bytes.buffer);
  bytes.fill(0xff);
  assertEquals(mapping.disposed, false);
  mapping[Symbol.dispose]();
  assertEquals(mapping.disposed, true);
  assertEquals([bytes.length, part.length, words.length, bytes[0]], [0, 0, 0, undefined]);
  bytes[0] = 1;
  assertThrows(() => view.getUint8(0), TypeError);
  assertThrows(() => view.setUint8(0, 1), TypeError);
});

Deno.test("pages that are not needed are zero again, and only they", () => {
  using mapping = Mapping.anonymous(4 * PAGE_SIZE);
  mapping.bytes.fill(7);
  mapping.advise("dontneed", PAGE_SIZE, 2 * PAGE_SIZE);
  const firsts = [0, 1, 2, 3].map((page) => mapping.bytes[page * PAGE_SIZE]);
  assertEquals(firsts, [7, 0, 0, 7]);
  mapping.advise("dontneed");
  assertEquals(mapping.bytes.every((byte) => byte === 0), true);
});

Deno.test("what may be done to pages is changed for them alone", () => {
  using mapping = Mapping.shared(3 * PAGE_SIZE);
  const { address } = mapping;
  const line = (page: number) => {
    const at = (address + BigInt(page * PAGE_SIZE)).toString(16);
    return Deno.readTextFileSync("/proc/self/maps").split("\n").find((line) =>
      line.startsWith(`${at}-`)
    )?.split(" ")[1];
  };
  mapping.protect("read", PAGE_SIZE, PAGE_SIZE);
  assertEquals([line(0), line(1), line(2)], ["rw-s", "r--s", "rw-s"]);
  mapping.protect("none", 2 * PAGE_SIZE);
  assertEquals([line(1), line(2)], ["r--s", "---s"]);
  mapping.protect("read-write");
  assertEquals([line(0), line(1)], ["rw-s", undefined]);
});

Deno.test("pages are moved into the place of others, and leave zeros", () => {
  using from = Mapping.anonymous(3 * PAGE_SIZE);
  using to = Mapping.anonymous(3 * PAGE_SIZE);
  from.bytes.fill(1);
  to.bytes.fill(2);
  from.movePages(PAGE_SIZE, PAGE_SIZE, to, 2 * PAGE_SIZE);
  const firsts = ({ bytes }: Mapping) => [0, 1, 2].map((page) => bytes[page * PAGE_SIZE]);
  assertEquals([firsts(from), firsts(to)], [[1, 0, 1], [2, 2, 1]]);
  const error = assertThrows(
    () => from.movePages(0, 2 * PAGE_SIZE, from, PAGE_SIZE),
    SystemCallError,
  );
  assertEquals([error.call, error.code], ["mremap", "EINVAL"]);
});

for (
  const [offset, size] of [[1, 4096], [0, 100], [0, 0], [-4096, 4096], [4096, 8192], [NaN, 4096]]
) {
  Deno.test(`${size} bytes at ${offset} of two pages are refused before any call`, () => {
    using mapping = Mapping.anonymous(2 * PAGE_SIZE);
    const message = `${size} bytes at ${offset}`;
    assertThrows(() => mapping.protect("read", offset, size), ArgumentError, message);
    assertThrows(() => mapping.advise("dontneed", offset, size), ArgumentError, message);
    assertThrows(() => mapping.movePages(offset, size, mapping, 0), ArgumentError, message);
  });
}

Deno.test("an unknown protection or advice is refused with those there are", () => {
  using mapping = Mapping.anonymous(PAGE_SIZE);
  assertThrows(() => mapping.protect("write" as "read"), ArgumentError, "none, read, read-write");
  assertThrows(() => mapping.advise("toString" as "free"), ArgumentError, "dontneed, free");
  assertThrows(
    () => mapping.movePages(0, PAGE_SIZE, {} as Mapping, 0),
    ArgumentError,
    "give a Mapping",
  );
});

Deno.test("disposal unmaps: the address is free again", () => {
  const shared = Mapping.shared(PAGE_SIZE);
  const end = (shared.address + 0x1000n).toString(16);
  const mapped = () => Deno.readTextFileSync("/proc/self/maps").includes(`-${end} rw-s`);
  assertEquals(mapped(), true);
  shared[Symbol.dispose]();
  assertEquals(mapped(), false);
});

Deno.test("a file descriptor is closed once, and named in the error of a late use", () => {
  const fd = FileDescriptor.open("/dev/null", "Kvm");
  const { number } = fd;
  fd[Symbol.dispose]();
  // Whoever gets the number next must keep it.
  using next = FileDescriptor.open("/dev/null");
  assertEquals(next.number, number);
  fd[Symbol.dispose]();
  assertEquals(Deno.readLinkSync(`/proc/self/fd/${number}`), "/dev/null");
  const error = assertThrows(() => fd.number, DisposedError, "this Kvm was disposed");
  assertEquals(error.what, "Kvm");
});

Deno.test("a file that cannot be opened is an error with its path", () => {
  const error = assertThrows(() => FileDescriptor.open("/nowhere/at/all"), SystemCallError);
  assertEquals([error.call, error.code], ["open", "ENOENT"]);
  assertMatch(error.message, /\/nowhere\/at\/all/);
});
