import { assertEquals, assertThrows } from "@std/assert";
import { errnoName, SystemCallError } from "../ffi/errno.ts";
import { EventFd } from "../ffi/eventfd.ts";
import { libc } from "../ffi/libc.ts";

Deno.test("an eventfd counts what is signalled, and take empties it", () => {
  using event = new EventFd();
  assertEquals(event.take(), 0n);
  event.signal();
  event.signal(41n);
  assertEquals(event.take(), 42n);
  assertEquals(event.take(), 0n);
});

Deno.test("an eventfd keeps all 64 bits", () => {
  using event = new EventFd();
  event.signal(0x8000_0000_0000_0001n);
  assertEquals(event.take(), 0x8000_0000_0000_0001n);
});

Deno.test("an eventfd that would overflow is EAGAIN and keeps its count", () => {
  using event = new EventFd();
  const most = 0xffff_ffff_ffff_fffen;
  event.signal(most);
  const error = assertThrows(() => event.signal(), SystemCallError);
  assertEquals([error.call, error.code], ["write", "EAGAIN"]);
  assertEquals(event.take(), most);
});

Deno.test("two eventfds have counters and descriptors of their own", () => {
  using one = new EventFd();
  using other = new EventFd();
  one.signal(3n);
  assertEquals([other.take(), one.take(), one.fd === other.fd], [0n, 3n, false]);
});

Deno.test("an eventfd is closed by disposal, and not handed to child processes", () => {
  const event = new EventFd();
  const flags = Deno.readTextFileSync(`/proc/self/fdinfo/${event.fd}`).match(/flags:\s*(\d+)/)![1];
  assertEquals(parseInt(flags, 8) & 0o2004000, 0o2004000);
  const path = `/proc/self/fd/${event.fd}`;
  assertEquals(Deno.readLinkSync(path), "anon_inode:[eventfd]");
  event[Symbol.dispose]();
  assertThrows(() => Deno.readLinkSync(path), Deno.errors.NotFound);
});

Deno.test("a failed read of an eventfd is an error, not a count", () => {
  using event = new EventFd();
  // Behind its back, as a bug elsewhere would.
  libc().close(event.fd);
  const error = assertThrows(() => event.take(), SystemCallError);
  assertEquals([error.call, error.code, error.errno], ["read", "EBADF", 9]);
});

Deno.test("errors are named as errno.h names them", () => {
  assertEquals([1, 4, 14, 17, 22, 25, 133].map(errnoName), [
    "EPERM",
    "EINTR",
    "EFAULT",
    "EEXIST",
    "EINVAL",
    "ENOTTY",
    "EHWPOISON",
  ]);
  assertEquals(errnoName(4095), "errno 4095");
});

Deno.test("a system call's error has the call, the name and the detail in its message", () => {
  const plain = new SystemCallError("mmap", 12);
  assertEquals([plain.message, plain.name, plain.code], [
    "mmap failed with ENOMEM",
    "SystemCallError",
    "ENOMEM",
  ]);
  assertEquals(
    new SystemCallError("mmap", 12, "1 byte").message,
    "mmap failed with ENOMEM: 1 byte",
  );
});
