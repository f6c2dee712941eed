import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
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
