import { assertEquals, assertThrows } from "@std/assert";
import { ArgumentError } from "../ffi/argument.ts";
import { DisposedError } from "../ffi/disposed.ts";
import { SystemCallError } from "../ffi/errno.ts";
import { Mapping, PAGE_SIZE } from "../ffi/mapping.ts";
import { UserFault } from "../ffi/user_fault.ts";

const ignore = !UserFault.allowed();

Deno.test({ name: "a page that is supplied has its content, and no other", ignore }, () => {
  using memory = Mapping.anonymous(3 * PAGE_SIZE);
  {
    using fault = new UserFault(memory);
    fault.supply(PAGE_SIZE, new Uint8Array(PAGE_SIZE).fill(7));
    assertEquals(memory.bytes[PAGE_SIZE], 7);
    assertEquals(memory.bytes[2 * PAGE_SIZE - 1], 7);
    assertEquals(fault.touched(), []);
    const error = assertThrows(
      () => fault.supply(PAGE_SIZE, new Uint8Array(PAGE_SIZE)),
      SystemCallError,
    );
    assertEquals([error.call, error.code], ["UFFDIO_COPY", "EEXIST"]);
  }
  assertEquals([memory.bytes[0], memory.bytes[PAGE_SIZE], memory.bytes[2 * PAGE_SIZE]], [0, 7, 0]);
});

Deno.test({ name: "who touches a missing page waits, and is told of", ignore }, async () => {
  using memory = Mapping.shared(2 * PAGE_SIZE);
  using fault = new UserFault(memory);
  const source = `onmessage = ({ data }) => {
    const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(data));
    postMessage(view.getUint8(0x1005));
  };`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  const answer = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
  worker.postMessage(memory.address);
  let touched: number[] = [];
  for (let attempt = 0; attempt < 2000 && touched.length === 0; attempt++) {
    touched = fault.touched();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(touched, [PAGE_SIZE]);
  fault.supply(PAGE_SIZE, new Uint8Array(PAGE_SIZE).fill(0x5a));
  assertEquals(await answer, 0x5a);
  worker.terminate();
  URL.revokeObjectURL(url);
});

Deno.test({ name: "what is no whole page is refused before any call", ignore }, () => {
  using memory = Mapping.anonymous(PAGE_SIZE);
  using fault = new UserFault(memory);
  for (const [offset, size] of [[0, 0], [0, 1], [1, 4096], [-4096, 4096], [NaN, 4096]]) {
    assertThrows(
      () => fault.supply(offset, new Uint8Array(size)),
      ArgumentError,
      `${size} bytes at ${offset}`,
    );
  }
  assertThrows(() => new UserFault({} as Mapping), ArgumentError, "give a Mapping");
});

Deno.test({ name: "a disposed one throws", ignore }, () => {
  using memory = Mapping.anonymous(PAGE_SIZE);
  const fault = new UserFault(memory);
  fault[Symbol.dispose]();
  fault[Symbol.dispose]();
  assertThrows(() => fault.touched(), DisposedError, "UserFault");
  assertThrows(() => fault.supply(0, new Uint8Array(PAGE_SIZE)), DisposedError, "UserFault");
});
