import { assertEquals } from "@std/assert";
import { PAGE_SIZE } from "../ffi/mapping.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import type { GuestMemory } from "../src/kvm/memory.ts";
import { MemoryFrame } from "../src/suite/memory_frame.ts";
import { formatLine } from "../src/trace/format.ts";
import { parse } from "../src/trace/parse.ts";
import { kvmTest } from "./host.ts";

/** A test over the memory of a VM with a page at 0x1000, and its frame. */
function frameTest(name: string, body: (memory: GuestMemory, frame: MemoryFrame) => void): void {
  kvmTest(name, () => {
    using kvm = Kvm.open();
    using vm = kvm.createVm();
    vm.memory.addRam(0x1000, PAGE_SIZE);
    const frame = new MemoryFrame(vm.memory);
    frame.watch();
    body(vm.memory, frame);
  });
}

/** The frame's lines as a trace has them. */
function lines(frame: MemoryFrame, expected: string = ""): string[] {
  return frame.lines(parse(expected)).map((line) => formatLine(line));
}

frameTest("memory that nothing wrote has no line", (_, frame) => {
  assertEquals(lines(frame), []);
});

frameTest("runs of changed bytes are lines, from each one's first byte on", (memory, frame) => {
  memory.bytes(0x1003, 3).set([1, 2, 3]);
  memory.bytes(0x1007, 2).set([4, 5]);
  memory.bytes(0x1fff, 1)[0] = 6;
  assertEquals(lines(frame), [
    "= mem 0x1003 u8 [0x1 0x2 0x3]",
    "= mem 0x1007 u8 [0x4 0x5]",
    "= mem 0x1fff u8 [0x6]",
  ]);
});

frameTest("a byte that has its old value again did not change", (memory, frame) => {
  memory.bytes(0x1003, 1)[0] = 1;
  memory.bytes(0x1003, 1)[0] = 0;
  assertEquals(lines(frame), []);
});

frameTest("a long run shows its first 64 bytes", (memory, frame) => {
  memory.bytes(0x1100, 100).fill(0xee);
  assertEquals(lines(frame)[0].match(/0xee/g)!.length, 64);
  assertEquals(lines(frame).length, 1);
});

frameTest(
  "a declared range is a line whether it changed or not, in its own form",
  (memory, frame) => {
    memory.bytes(0x1010, 4).set([0x78, 0x56, 0x34, 0x12]);
    assertEquals(
      lines(frame, "hlt\n= mem 0x1010 u32 0x0\n= mem 0x1020 u16 [0x1 *]\n= mem 0x1030 u8 *"),
      ["= mem 0x1010 u32 0x12345678", "= mem 0x1020 u16 [0x0 0x0]", "= mem 0x1030 u8 0x0"],
    );
  },
);

frameTest("what changes beside a declared range is a line of its own", (memory, frame) => {
  memory.bytes(0x100f, 6).fill(9);
  assertEquals(lines(frame, "hlt\n= mem 0x1010 u32 *"), [
    "= mem 0x1010 u32 0x9090909",
    "= mem 0x100f u8 [0x9]",
    "= mem 0x1014 u8 [0x9]",
  ]);
});

frameTest("a declared range without memory has no line", (_, frame) => {
  assertEquals(lines(frame, "hlt\n= mem 0x1ffe u32 0x0\n= mem 0x9000 u8 0x0"), []);
});

frameTest(
  "what the host writes through the frame is no change, what it writes beside is",
  (memory, frame) => {
    frame.write(0x1020n, Uint8Array.of(7, 7));
    assertEquals([...memory.bytes(0x1020, 2)], [7, 7]);
    assertEquals(lines(frame), []);
    memory.bytes(0x1021, 1)[0] = 8;
    assertEquals(lines(frame), ["= mem 0x1021 u8 [0x8]"]);
  },
);

frameTest("memory that comes later is watched from then on", (memory, frame) => {
  const late = memory.addRam(0x8000, PAGE_SIZE);
  late.bytes[0] = 1;
  assertEquals(lines(frame), []);
  frame.watch();
  late.bytes[1] = 2;
  assertEquals(lines(frame), ["= mem 0x8001 u8 [0x2]"]);
});

frameTest("a change in memory that two slots share is one line", (memory, frame) => {
  const shared = memory.map(2 * PAGE_SIZE);
  memory.setSlot({ slot: 1, guestAddress: 0x10000, size: 2 * PAGE_SIZE, memory: shared });
  memory.setSlot({
    slot: 2,
    guestAddress: 0x20000,
    size: PAGE_SIZE,
    memory: shared,
    offset: PAGE_SIZE,
  });
  frame.watch();
  memory.bytes(0x11004, 1)[0] = 5;
  assertEquals(lines(frame), ["= mem 0x20004 u8 [0x5]"]);
  // Declared through either slot it is declared.
  assertEquals(lines(frame, "hlt\n= mem 0x11004 u8 0x5"), ["= mem 0x11004 u8 0x5"]);
  assertEquals(lines(frame, "hlt\n= mem 0x20004 u8 0x5"), ["= mem 0x20004 u8 0x5"]);
});

frameTest(
  "a change counts when its slot has moved, at the place where it went",
  (memory, frame) => {
    const ram = memory.addRam(0x8000, PAGE_SIZE, { slot: 4 });
    frame.watch();
    memory.setSlot({ slot: 4, guestAddress: 0xa000, size: PAGE_SIZE, memory: ram });
    frame.watch();
    ram.bytes[3] = 3;
    assertEquals(lines(frame), ["= mem 0xa003 u8 [0x3]"]);
  },
);

frameTest(
  "a change counts when its slot was deleted, at the place where it was",
  (memory, frame) => {
    const ram = memory.addRam(0x8000, PAGE_SIZE, { slot: 4 });
    frame.watch();
    ram.bytes[3] = 3;
    memory.setSlot({ slot: 4, guestAddress: 0, size: 0 });
    frame.watch();
    assertEquals(lines(frame), ["= mem 0x8003 u8 [0x3]"]);
  },
);

frameTest("memory above 16 MiB is not watched", (memory, frame) => {
  const large = memory.addRam(0x1000000, (16 << 20) + PAGE_SIZE);
  frame.watch();
  large.bytes[0] = 1;
  assertEquals(lines(frame), []);
});
