import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { loadSegment, selectors } from "../src/x86/descriptor_tables.ts";
import { DescriptorError } from "../src/x86/descriptors.ts";
import { memoryMap } from "../src/x86/memory_map.ts";
import {
  initialMemory,
  type MachineOptions,
  MachineOptionsError,
  machineState,
} from "../src/x86/modes.ts";
import { walk } from "../src/x86/page_walk.ts";
import { PageTableError } from "../src/x86/paging.ts";
import { CR0, CR4, EFER, RFLAGS, type SpecialRegisters } from "../src/x86/registers.ts";

const modes = ["real", "protected", "paged", "pae", "long"] as const;

Deno.test("no two regions of the memory map overlap, and all lie in memory", () => {
  const { memory, ...regions } = memoryMap;
  const sorted = Object.values(regions).sort((a, b) => a.address - b.address);
  sorted.reduce((end, { address, size }) => {
    assert(address >= end && size > 0, `0x${address.toString(16)}`);
    return address + size;
  }, memory.address);
  assert(sorted.at(-1)!.address + sorted.at(-1)!.size <= memory.address + memory.size);
  assertEquals(
    memoryMap.ioPermissionBitmap.address,
    memoryMap.taskState.address + memoryMap.taskState.size,
  );
});

Deno.test("every part of an image lies in a region of its own", () => {
  const regions: readonly { address: number; size: number }[] = [
    memoryMap.realModeVectors,
    memoryMap.unexpectedVector,
    memoryMap.gdt,
    memoryMap.idt,
    { address: memoryMap.taskState.address, size: 0x68 + memoryMap.ioPermissionBitmap.size },
    memoryMap.pageTables,
  ];
  for (const mode of modes) {
    const options: MachineOptions = mode === "real"
      ? { handlers: {} }
      : { handlers: { 6: 0x8100 }, ioPorts: [1] };
    const { image } = machineState(mode, options);
    for (const { address, bytes } of image) {
      assert(regions.some((region) => region.address === address && bytes.length <= region.size));
    }
    assertEquals(new Set(image.map(({ address }) => address)).size, image.length);
  }
});

/** The rules of VM entry for segment registers that a state breaks (SDM 3C 27.3.1.2). */
function brokenSegmentRules(mode: string, { cs, ss, ds, es, fs, gs, tr, ldt }: SpecialRegisters) {
  const broken: string[] = [];
  const rule = (name: string, holds: boolean) => holds || broken.push(name);
  for (const [name, segment] of Object.entries({ cs, ss, ds, es, fs, gs, tr })) {
    rule(`${name} present`, segment.present === 1 && segment.unusable === 0);
    rule(`${name} G=0`, (segment.limit & 0xfff) === 0xfff || segment.g === 0);
    rule(`${name} G=1`, segment.limit >>> 20 === 0 || segment.g === 1);
    rule(`${name} S`, segment.s === (name === "tr" ? 0 : 1));
    rule(`${name} accessed`, (segment.type & 1) === 1);
  }
  rule("cs type", [9, 11, 13, 15].includes(cs.type));
  rule("cs D and L", !(cs.db && cs.l));
  rule("cs dpl", cs.dpl === ss.dpl);
  rule("ss type", [3, 7].includes(ss.type));
  rule("ss rpl", mode === "real" || (ss.selector & 3) === (cs.selector & 3));
  rule("ss dpl", ss.dpl === (ss.selector & 3));
  for (const segment of [ds, es, fs, gs]) rule("data dpl", segment.dpl >= (segment.selector & 3));
  rule("tr type", tr.type === 11);
  rule("tr TI", (tr.selector & 4) === 0);
  rule("ldt", ldt.unusable === 1 && ldt.present === 0);
  return broken;
}

Deno.test("every mode at every privilege satisfies VM entry's segment checks", () => {
  for (const mode of modes) {
    for (const privilege of mode === "real" ? [0] as const : [0, 3] as const) {
      const { sregs } = machineState(mode, { privilege });
      assertEquals(brokenSegmentRules(mode, sregs), [], `${mode} ${privilege}`);
      assertEquals(sregs.ss.dpl, privilege);
    }
  }
});

Deno.test("real mode's segments fit virtual-8086 mode too", () => {
  const { cs, ds, es, fs, gs, ss } = machineState("real").sregs;
  for (const segment of [cs, ds, es, fs, gs, ss]) {
    assertEquals(segment.base, BigInt(segment.selector << 4));
    assertEquals([segment.limit, segment.db, segment.g, segment.l], [0xffff, 0, 0, 0]);
  }
});

Deno.test("segment registers are what the GDT in memory says", () => {
  for (const mode of modes.filter((mode) => mode !== "real")) {
    for (const privilege of [0, 3] as const) {
      const state = machineState(mode, { privilege, ioPorts: [0x10] });
      const { address, size } = memoryMap.gdt;
      const gdt = initialMemory(state).subarray(address, address + size);
      for (const name of ["cs", "ds", "es", "fs", "gs", "ss", "tr"] as const) {
        const segment = state.sregs[name];
        assertEquals(segment, loadSegment(gdt, segment.selector, mode));
      }
      assertEquals(state.sregs.gdt, { base: 0x1000n, limit: 0xff });
      assertEquals(state.sregs.tr.limit, 0x68 + 0x2000);
    }
  }
});

Deno.test("control registers select the mode", () => {
  const bits = (mode: typeof modes[number]) => {
    const { cr0, cr3, cr4, efer } = machineState(mode).sregs;
    return [cr0, cr3, cr4, efer];
  };
  assertEquals(bits("real"), [0x10n, 0n, 0n, 0n]);
  assertEquals(bits("protected"), [0x31n, 0n, 0n, 0n]);
  assertEquals(bits("paged"), [0x80010031n, 0x10000n, CR4.PSE, 0n]);
  assertEquals(bits("pae"), [0x80010031n, 0x10000n, CR4.PAE, 0n]);
  assertEquals(bits("long"), [0x80010031n, 0x10000n, CR4.PAE, EFER.LME | EFER.LMA | EFER.NXE]);
  assertEquals(modes.map((mode) => machineState(mode).bits), [16, 32, 32, 32, 64]);
  for (const mode of modes) {
    const { rip, rsp, rflags, memorySize } = machineState(mode);
    assertEquals([rip, rsp, rflags, memorySize], [0x8000n, 0x8000n, 2n, 0x20000]);
  }
});

Deno.test("options add and clear register bits, clearing last", () => {
  const { sregs, rflags } = machineState("long", {
    cr0: { set: CR0.AM, clear: CR0.WP },
    cr4: { set: CR4.OSFXSR | CR4.PGE, clear: CR4.PGE },
    efer: { set: EFER.SCE, clear: EFER.NXE },
    rflags: { set: RFLAGS.IOPL | RFLAGS.IF },
  });
  assertEquals(sregs.cr0, 0x80040031n);
  assertEquals(sregs.cr4, CR4.PAE | CR4.OSFXSR);
  assertEquals(sregs.efer, 0x501n);
  assertEquals(rflags, 0x3202n);
});

Deno.test("CPL 3 gets user pages, and a mapping may still take them away", () => {
  for (const mode of ["paged", "pae", "long"] as const) {
    const state = machineState(mode, {
      privilege: 3,
      map: [{ virtual: 0xa000, physical: 0xa000, user: false }],
    });
    const memory = initialMemory(state);
    const kind = (at: number) => walk(memory, state.sregs, at, { user: true }).kind;
    assertEquals([kind(0x8000), kind(0xd0000000), kind(0xa000)], [
      "translated",
      "translated",
      "page-fault",
    ]);
  }
});

Deno.test("an exception without a handler finds no way out", () => {
  for (const mode of modes.filter((mode) => mode !== "real")) {
    const state = machineState(mode);
    const { base, limit } = state.sregs.idt;
    const idt = initialMemory(state).subarray(Number(base), Number(base) + limit + 1);
    assertEquals(idt.length, mode === "long" ? 0x1000 : 0x800);
    assert(idt.every((byte) => byte === 0));
  }
  assertEquals(machineState("real").sregs.idt, { base: 0n, limit: 0 });
  assertEquals(machineState("real", { handlers: {} }).sregs.idt, { base: 0n, limit: 0x3ff });
});

Deno.test("equal options give the same frozen state, other options another", () => {
  const options = (): MachineOptions => ({
    handlers: { 6: { offset: 0x8100n } },
    map: [{ virtual: 0xa000n, physical: 0xb000 }],
  });
  const state = machineState("long", options());
  assertStrictEquals(machineState("long", options()), state);
  assert(Object.isFrozen(state.sregs) && Object.isFrozen(state.sregs.cs));
  assertNotEquals(machineState("long"), state);
  // More states than are remembered, so that the last one is built anew.
  for (let offset = 0; offset < 200; offset++) machineState("real", { handlers: { 6: offset } });
  const again = machineState("long", options());
  assert(again !== state);
  assertEquals(again, state);
});

Deno.test("an option that the mode cannot honour is an error", () => {
  const wrong: [typeof modes[number], MachineOptions, string][] = [
    ["real", { privilege: 3 }, "privilege"],
    ["real", { ioPorts: [] }, "ioPorts"],
    ["real", { map: [] }, "map"],
    ["protected", { map: [] }, "map"],
  ];
  for (const [mode, options, name] of wrong) {
    assertThrows(() => machineState(mode, options), MachineOptionsError, name);
  }
  assertThrows(() => machineState("vm86" as "real"), MachineOptionsError, "vm86");
  assertThrows(() => machineState("long", { handlers: { 300: 0 } }), DescriptorError);
  assertThrows(() => machineState("long", { map: [{ virtual: 1, physical: 0 }] }), PageTableError);
});

Deno.test("selectors name the privilege they run at", () => {
  for (const [name, selector] of Object.entries(selectors)) {
    const user = /^(user|compat|sysexit)/.test(name);
    assertEquals(selector & 3, user ? 3 : 0, name);
  }
});
