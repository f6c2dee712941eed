import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  decodeSegmentDescriptor,
  DescriptorError,
  encodeGate,
  encodeGate64,
  encodeSegmentDescriptor,
  encodeSystemDescriptor64,
  realModeSegment,
  systemType,
} from "../src/x86/descriptors.ts";
import {
  encodeGdt,
  encodeIdt,
  encodeRealModeVectors,
  encodeTaskState,
  interruptStackTop,
  loadSegment,
  selectors,
} from "../src/x86/descriptor_tables.ts";
import { memoryMap } from "../src/x86/memory_map.ts";

const flat = {
  base: 0n,
  limit: 0xffffffff,
  type: 0xa,
  s: 1,
  dpl: 0,
  present: 1,
  avl: 0,
  l: 0,
  db: 1,
  g: 1,
};

Deno.test("segment descriptors have the well-known bytes", () => {
  assertEquals(encodeSegmentDescriptor(flat), 0x00cf9a000000ffffn);
  assertEquals(encodeSegmentDescriptor({ ...flat, type: 2 }), 0x00cf92000000ffffn);
  assertEquals(encodeSegmentDescriptor({ ...flat, dpl: 3 }), 0x00cffa000000ffffn);
  assertEquals(encodeSegmentDescriptor({ ...flat, db: 0, l: 1 }), 0x00af9a000000ffffn);
  assertEquals(
    encodeSegmentDescriptor({ ...flat, db: 0, g: 0, limit: 0xffff }),
    0x00009a000000ffffn,
  );
  // Every field different, so that no two can be swapped unseen.
  const odd = {
    ...flat,
    base: 0x12345678n,
    limit: 0x9abcd,
    g: 0,
    db: 0,
    avl: 1,
    type: 5,
    dpl: 2,
    s: 0,
  };
  assertEquals(encodeSegmentDescriptor(odd), 0x1219c5345678abcdn);
});

Deno.test("decoding a segment descriptor is the inverse of encoding it", () => {
  const fields = [
    flat,
    { ...flat, base: 0xfedcba98n, limit: 0x12345fff, type: 0x7, dpl: 1, avl: 1 },
    { ...flat, g: 0, limit: 0xfffff, present: 0, db: 0 },
  ];
  for (const each of fields) {
    const decoded = decodeSegmentDescriptor(encodeSegmentDescriptor(each), 0x1b);
    assertEquals(decoded, { ...each, selector: 0x1b, unusable: 0 });
  }
  const system = {
    ...flat,
    base: 0xfedcba9876543210n,
    limit: 0x67,
    g: 0,
    db: 0,
    s: 0,
    type: systemType.tss32Busy,
  };
  const [low, high] = encodeSystemDescriptor64(system);
  assertEquals([low, high], [0x76008b5432100067n, 0xfedcba98n]);
  assertEquals(decodeSegmentDescriptor(low, 0x68, high), {
    ...system,
    selector: 0x68,
    unusable: 0,
  });
});

Deno.test("gates have the well-known bytes", () => {
  const gate = { selector: 0x8, offset: 0x12345678n, dpl: 0, present: 1 };
  assertEquals(encodeGate({ ...gate, type: systemType.interruptGate32 }), 0x12348e0000085678n);
  assertEquals(
    encodeGate({ ...gate, type: systemType.trapGate32, dpl: 3 }),
    0x1234ef0000085678n,
  );
  assertEquals(
    encodeGate({ ...gate, type: systemType.interruptGate16, offset: 0x5678n }),
    0x0000860000085678n,
  );
  assertEquals(
    encodeGate({ ...gate, type: systemType.taskGate, offset: 0n, selector: 0x70 }),
    0x0000850000700000n,
  );
  assertEquals(
    encodeGate({ ...gate, type: systemType.callGate32, dpl: 3, parameters: 2 }),
    0x1234ec0200085678n,
  );
  assertEquals(
    encodeGate64({
      ...gate,
      type: systemType.interruptGate32,
      offset: 0xffff800012345678n,
      ist: 5,
    }),
    [0x12348e0500085678n, 0xffff8000n],
  );
});

Deno.test("a field that does not fit is an error that names it", () => {
  const wrong: [Partial<typeof flat>, string][] = [
    [{ base: 1n << 32n }, "base"],
    [{ limit: 0x12345678 }, "0xfff"],
    [{ limit: 0x100000, g: 0 }, "limit"],
    [{ type: 16 }, "type"],
    [{ dpl: 4 }, "dpl"],
    [{ dpl: -1 }, "dpl"],
    [{ avl: 0.5 }, "avl"],
  ];
  for (const [change, name] of wrong) {
    assertThrows(() => encodeSegmentDescriptor({ ...flat, ...change }), DescriptorError, name);
  }
  assertThrows(() => encodeSystemDescriptor64(flat), DescriptorError, "s (of a system");
  const gate = { type: 0xe, selector: 8, offset: 0n, dpl: 0, present: 1 };
  assertThrows(() => encodeGate({ ...gate, ist: 1 }), DescriptorError, "IST");
  assertThrows(() => encodeGate({ ...gate, offset: 1n << 32n }), DescriptorError, "offset");
  assertThrows(() => encodeGate({ ...gate, type: 6, offset: 0x10000n }), DescriptorError, "offset");
  assertThrows(() => encodeGate64({ ...gate, ist: 8 }), DescriptorError, "ist");
  assertThrows(() => encodeGate64({ ...gate, parameters: 1 }), DescriptorError, "parameters");
  assertThrows(() => realModeSegment(0x10000, "data"), DescriptorError, "selector");
});

Deno.test("every code and data descriptor of the GDT is present and accessed", () => {
  for (const mode of ["real", "protected", "paged", "pae", "long"] as const) {
    const gdt = encodeGdt(mode, 0x68);
    for (const [name, selector] of Object.entries(selectors)) {
      if (name === "null" || name === "taskState") continue;
      const segment = loadSegment(gdt, selector, mode);
      assertEquals([segment.present, segment.s, segment.type & 1], [1, 1, 1], name);
      assertEquals(segment.dpl, selector & 3, name);
      assertEquals((segment.type & 8) !== 0, /[cC]ode/.test(name), name);
      assertEquals(segment.l, /[cC]ode64/.test(name) ? 1 : 0, name);
    }
    assertEquals(loadSegment(gdt, selectors.null, mode).unusable, 1);
    const tr = loadSegment(gdt, selectors.taskState, mode);
    assertEquals([tr.type, tr.s, tr.present, tr.limit], [systemType.tss32Busy, 0, 1, 0x67]);
    assertEquals(tr.base, BigInt(memoryMap.taskState.address));
  }
});

Deno.test("the GDT's order serves SYSENTER, SYSEXIT, SYSCALL and SYSRET", () => {
  const slot = (selector: number) => selector & ~3;
  assertEquals(selectors.data32, selectors.code32 + 8);
  assertEquals(slot(selectors.userCode32), selectors.code32 + 16);
  assertEquals(slot(selectors.userData32), selectors.code32 + 24);
  assertEquals(selectors.data64, selectors.code64 + 8);
  assertEquals(slot(selectors.userCode64), selectors.code64 + 32);
  assertEquals(slot(selectors.sysexitData64), selectors.code64 + 40);
  assertEquals(slot(selectors.userData64), slot(selectors.compatibilityCode) + 8);
  assertEquals(slot(selectors.userCode64), slot(selectors.compatibilityCode) + 16);
});

Deno.test("extra descriptors go where their selector says, and nowhere else", () => {
  const extra = encodeGdt("protected", 0x68, { 0x83: 0x00cf9a000000ffffn });
  assertEquals(loadSegment(extra, 0x83, "protected").type, 0xa);
  const plain = encodeGdt("protected", 0x68);
  assertEquals(
    [...extra.keys()].filter((at) => extra[at] !== plain[at]).every((at) => at >> 3 === 0x10),
    true,
  );
  for (const selector of [0, 4, 0x84, 0x100, -8]) {
    assertThrows(() => encodeGdt("protected", 0x68, { [selector]: 0n }), DescriptorError);
  }
  assertThrows(() => encodeGdt("protected", 0x68, { 0x80: 1n << 64n }), DescriptorError);
  assertThrows(() => loadSegment(plain, 0xc, "protected"), DescriptorError);
  assertThrows(() => loadSegment(plain, 0x100, "protected"), DescriptorError);
});

Deno.test("a system descriptor has a 64-bit base in long mode alone", () => {
  const extra = { 0x80: 0x000082000000ffffn, 0x88: 0xffff8000n };
  const base = (mode: "pae" | "long") => loadSegment(encodeGdt(mode, 0x68, extra), 0x80, mode).base;
  assertEquals(base("long"), 0xffff800000000000n);
  assertEquals(base("pae"), 0n);
});

Deno.test("a real-mode segment's base is its selector times 16", () => {
  const { base, limit, type, selector } = realModeSegment(0xf123, "data");
  assertEquals([base, limit, type, selector], [0xf1230n, 0xffff, 3, 0xf123]);
});

Deno.test("the I/O permission bitmap clears the allowed ports alone", () => {
  const bytes = encodeTaskState("long", [0x10, { first: 0x3f8, last: 0x3ff }, 0xffff]);
  assertEquals(bytes.length, 0x68 + 0x2001);
  assertEquals(new DataView(bytes.buffer).getUint16(0x66, true), 0x68);
  const allowed = [];
  for (let port = 0; port <= 0xffff; port++) {
    if (!(bytes[0x68 + (port >> 3)] & 1 << (port & 7))) allowed.push(port);
  }
  assertEquals(
    allowed,
    [0x10, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0xffff],
  );
  assertEquals(bytes.at(-1), 0xff);
  for (const port of [-1, 0x10000, 1.5]) {
    assertThrows(() => encodeTaskState("long", [port]), DescriptorError);
  }
  assertThrows(() => encodeTaskState("long", [{ first: 2, last: 1 }]), DescriptorError);
});

Deno.test("the TSS names the stacks of the memory map", () => {
  const wide = new DataView(encodeTaskState("long").buffer);
  assertEquals(wide.getBigUint64(4, true), 0x7000n);
  const { address, size } = memoryMap.interruptStacks;
  for (let ist = 1; ist <= 7; ist++) {
    const top = wide.getBigUint64(0x24 + (ist - 1) * 8, true);
    assertEquals(top, BigInt(interruptStackTop(ist)));
    assert(top > address && top <= address + size);
  }
  const narrow = new DataView(encodeTaskState("pae").buffer);
  assertEquals([narrow.getUint32(4, true), narrow.getUint32(8, true)], [0x7000, selectors.data32]);
});

Deno.test("the IDT holds the named vectors' gates and no other", () => {
  const narrow = new DataView(
    encodeIdt("paged", { 6: 0x8100, 3: { offset: 0x9n, dpl: 3 } }).buffer,
  );
  assertEquals(narrow.byteLength, 0x800);
  assertEquals(narrow.getBigUint64(6 * 8, true), 0x00008e0000088100n);
  assertEquals(narrow.getBigUint64(3 * 8, true), 0x0000ee0000080009n);
  assertEquals(narrow.getBigUint64(7 * 8, true), 0n);
  const wide = new DataView(
    encodeIdt("long", { 255: { offset: 0xffff800000008100n, ist: 2, type: "trap" } }).buffer,
  );
  assertEquals(wide.byteLength, memoryMap.idt.size);
  assertEquals(wide.getBigUint64(255 * 16, true), 0x00008f0200288100n);
  assertEquals(wide.getBigUint64(255 * 16 + 8, true), 0xffff8000n);
  assertThrows(() => encodeIdt("long", { 256: 0 }), DescriptorError, "256");
  assertThrows(() => encodeIdt("long", { 1: { offset: 0, type: "task" } }), DescriptorError);
  assertThrows(() => encodeIdt("long", { 1: { offset: 0, size: 16 } }), DescriptorError);
  assertThrows(() => encodeIdt("pae", { 1: { offset: 0, ist: 1 } }), DescriptorError, "IST");
});

Deno.test("every unnamed real-mode vector reaches the same code through a CS of its own", () => {
  const table = new DataView(
    encodeRealModeVectors({ 6: 0x8100, 7: { offset: 1, selector: 2 } }).buffer,
  );
  const { address } = memoryMap.unexpectedVector;
  for (let vector = 0; vector < 256; vector++) {
    const offset = table.getUint16(vector * 4, true);
    const segment = table.getUint16(vector * 4 + 2, true);
    if (vector === 6) assertEquals([segment, offset], [0, 0x8100]);
    else if (vector === 7) assertEquals([segment, offset], [2, 1]);
    else {
      assertEquals((segment << 4) + offset, address);
      assertEquals((address >> 4) - segment, vector);
    }
  }
  assertThrows(() => encodeRealModeVectors({ 6: 0x10000 }), DescriptorError, "16 bits");
  assertThrows(() => encodeRealModeVectors({ 6: { offset: 0, dpl: 3 } }), DescriptorError, "gates");
});
