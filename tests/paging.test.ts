import { assert, assertEquals, assertThrows } from "@std/assert";
import { initialMemory, machineState } from "../src/x86/modes.ts";
import { walk, type WalkAccess } from "../src/x86/page_walk.ts";
import { pageEntry, type PageMapping, PageTableError, PageTables } from "../src/x86/paging.ts";
import {
  CR0,
  CR4,
  EFER,
  pageFaultError,
  type PagingMode,
  type SpecialRegisters,
} from "../src/x86/registers.ts";

const modes = ["paged", "pae", "long"] as const;
const { P, W, U, RSVD, I } = pageFaultError;

/** A walk in a mode's starting state after changes to it. */
function walker(
  mode: PagingMode,
  map: PageMapping[] = [],
  change: Partial<SpecialRegisters> = {},
): (virtual: number | bigint, access?: WalkAccess) => unknown {
  const state = machineState(mode, { map });
  const memory = initialMemory(state);
  return (virtual, access) => {
    const result = walk(memory, { ...state.sregs, ...change }, virtual, access);
    if (result.kind === "translated") return result.physical;
    return result.kind === "page-fault" ? { errorCode: result.errorCode } : result.kind;
  };
}

Deno.test("the first 4 GiB are identity-mapped, writable, for the supervisor", () => {
  for (const mode of modes) {
    const state = machineState(mode);
    const memory = initialMemory(state);
    for (const at of [0, 0x8123, 0x1fffff, 0x200000, 0x400000, 0xd0001234, 0xffffffff]) {
      const result = walk(memory, state.sregs, at);
      assert(result.kind === "translated", `${mode} ${at.toString(16)}`);
      const { physical, writable, user, executable, entries } = result;
      assertEquals([physical, writable, user, executable], [BigInt(at), true, false, true]);
      for (const { value } of entries) {
        // A PDPTE of PAE paging has no accessed bit.
        if (mode !== "pae" || value !== entries[0].value) assert(value & pageEntry.A);
      }
      assert(entries.at(-1)!.value & pageEntry.D);
    }
    const small = walk(memory, state.sregs, 0x8000);
    const large = walk(memory, state.sregs, 0xd0000000);
    assert(small.kind === "translated" && large.kind === "translated");
    assertEquals(small.pageSize, 0x1000);
    assertEquals(large.pageSize, mode === "paged" ? 0x400000 : 0x200000);
  }
});

Deno.test("entries have the architecture's bits", () => {
  const last = (mode: PagingMode, mapping: PageMapping) => {
    const state = machineState(mode, { map: [mapping] });
    const result = walk(initialMemory(state), state.sregs, mapping.virtual);
    assert(result.kind !== "not-canonical");
    return result.entries.map(({ value }) => value);
  };
  assertEquals(last("paged", { virtual: 0x8000, physical: 0xa000 }), [0x11027n, 0xa063n]);
  assertEquals(last("paged", { virtual: 0x400000, physical: 0x800000, size: 0x400000 }), [
    0x8000e3n,
  ]);
  assertEquals(
    last("pae", { virtual: 0xc0008000, physical: 0xa000, executable: false, user: true }),
    [0x14001n, 0x16027n, 0x800000000000a067n],
  );
  assertEquals(
    last("long", { virtual: 0, physical: 0x4000000000n, pageSize: 0x40000000, writable: false }),
    [0x11027n, 0x40000000e1n],
  );
  assertEquals(
    last("long", {
      virtual: 0x8000,
      physical: 0xa000,
      present: false,
      accessed: false,
      dirty: false,
      bits: pageEntry.G | pageEntry.PCD,
    }).at(-1),
    0xa112n,
  );
});

Deno.test("a 4 KiB mapping splits the large page and leaves its neighbours alone", () => {
  for (const mode of modes) {
    const at = walker(mode, [{ virtual: 0xd0005000, physical: 0xa000 }]);
    assertEquals(at(0xd0004fff), 0xd0004fffn);
    assertEquals(at(0xd0005123), 0xa123n);
    assertEquals(at(0xd0006000), 0xd0006000n);
    assertEquals(at(0xcfffffff), 0xcfffffffn);
    assertEquals(at(0xd0400000), 0xd0400000n);
  }
});

Deno.test("splitting keeps every attribute, PAT included, from 1 GiB down to 4 KiB", () => {
  const state = machineState("long", {
    map: [
      {
        virtual: 0x8000000000n,
        physical: 0x40000000,
        pageSize: 0x40000000,
        writable: false,
        user: true,
        executable: false,
        bits: 0x1000n | pageEntry.G,
      },
      { virtual: 0x8000000000n, physical: 0xa000 },
    ],
  });
  const memory = initialMemory(state);
  const entry = (virtual: bigint) => {
    const result = walk(memory, state.sregs, virtual);
    assert(result.kind === "translated");
    return result.entries.at(-1)!.value;
  };
  assertEquals(entry(0x8000000000n), 0xa063n);
  assertEquals(entry(0x8000001000n), 0x80000000400011e5n);
  assertEquals(entry(0x8000200000n), 0x80000000402011e5n);
});

Deno.test("long mode maps high linear and high physical addresses", () => {
  const at = walker("long", [
    { virtual: 0xffff800000000000n, physical: 0xa000 },
    { virtual: 0xfffffffffffff000n, physical: 0xb000 },
    { virtual: 0xc000, physical: 0xffffffffff000n },
  ]);
  assertEquals(at(0xffff800000000010n), 0xa010n);
  assertEquals(at(0xffffffffffffffffn), 0xbfffn);
  assertEquals(at(0xc008), 0xffffffffff008n);
  assertEquals(at(0x800000000000n), "not-canonical");
  assertEquals(at(0x100000000n), { errorCode: 0 });
});

Deno.test("the walker refuses what the permissions refuse", () => {
  for (const mode of modes) {
    const at = walker(mode, [
      { virtual: 0xa000, physical: 0xa000, writable: false },
      { virtual: 0xb000, physical: 0xb000, user: true },
      { virtual: 0xc000, physical: 0xc000, present: false },
      { virtual: 0xd000, physical: 0xd000, user: true, writable: false },
    ]);
    assertEquals(at(0xa000), 0xa000n);
    assertEquals(at(0xa000, { write: true }), { errorCode: P | W });
    assertEquals(at(0xa000, { user: true }), { errorCode: P | U });
    assertEquals(at(0xb000, { user: true, write: true }), 0xb000n);
    assertEquals(at(0xd000, { user: true, write: true }), { errorCode: P | W | U });
    assertEquals(at(0xc000, { user: true, write: true }), { errorCode: W | U });
    // The fetch bit appears only where NX or SMEP can (SDM 3A 4.7).
    assertEquals(at(0xc000, { fetch: true }), { errorCode: mode === "long" ? I : 0 });
  }
});

Deno.test("CR0.WP, SMEP and SMAP decide for the supervisor", () => {
  const { cr0, cr4 } = machineState("long").sregs;
  const map = [{ virtual: 0xa000, physical: 0xa000, writable: false, user: true }];
  const free = walker("long", map, { cr0: cr0 & ~CR0.WP });
  assertEquals(free(0xa000, { write: true }), 0xa000n);
  assertEquals(free(0xa000, { write: true, user: true }), { errorCode: P | W | U });
  const smep = walker("long", map, { cr4: cr4 | CR4.SMEP });
  assertEquals(smep(0xa000, { fetch: true }), { errorCode: P | I });
  assertEquals(smep(0xa000), 0xa000n);
  const smap = walker("long", map, { cr4: cr4 | CR4.SMAP });
  assertEquals(smap(0xa000), { errorCode: P });
  assertEquals(smap(0xa000, { alignmentCheck: true }), 0xa000n);
  assertEquals(smap(0xa000, { fetch: true }), 0xa000n);
  assertEquals(smap(0xa000, { user: true }), 0xa000n);
});

Deno.test("XD forbids fetches with EFER.NXE and is reserved without", () => {
  for (const mode of ["pae", "long"] as const) {
    const map = [{ virtual: 0xa000, physical: 0xa000, executable: false }];
    const { efer } = machineState(mode, { map }).sregs;
    assert(efer & EFER.NXE);
    assertEquals(walker(mode, map)(0xa000, { fetch: true }), { errorCode: P | I });
    assertEquals(walker(mode, map)(0xa000), 0xa000n);
    const without = walker(mode, map, { efer: efer & ~EFER.NXE });
    assertEquals(without(0xa000), { errorCode: P | RSVD });
  }
  assertEquals(machineState("pae").sregs.efer, 0n);
});

Deno.test("reserved bits of an entry fault", () => {
  const faults = (
    mode: PagingMode,
    mapping: Omit<PageMapping, "virtual" | "physical">,
    access?: WalkAccess,
  ) => walker(mode, [{ virtual: 0x40000000, physical: 0, ...mapping }])(0x40000000, access);
  const reserved = { errorCode: P | RSVD };
  assertEquals(faults("paged", { pageSize: 0x400000, bits: 0x200000n }), reserved);
  assertEquals(faults("paged", { pageSize: 0x400000, bits: 0x2000n }), 0x100000000n);
  assertEquals(
    faults("paged", { pageSize: 0x400000, bits: 0x2000n }, { physicalAddressBits: 32 }),
    reserved,
  );
  assertEquals(faults("pae", { bits: 1n << 52n }), reserved);
  assertEquals(faults("long", { bits: 1n << 52n }), 0n);
  assertEquals(faults("long", { pageSize: 0x200000, bits: 0x2000n }), reserved);
  assertEquals(faults("long", { bits: 1n << 46n }, { physicalAddressBits: 46 }), reserved);
  assertEquals(faults("long", { bits: 1n << 46n }, { physicalAddressBits: 47 }), 1n << 46n);
});

Deno.test("reserved bits of a top structure's entry fault", () => {
  const faults = (mode: PagingMode, bits: bigint) => {
    const state = machineState(mode);
    const memory = initialMemory(state);
    const view = new DataView(memory.buffer, Number(state.sregs.cr3));
    view.setBigUint64(0, view.getBigUint64(0, true) | bits, true);
    const result = walk(memory, state.sregs, 0x8000);
    return result.kind === "page-fault" && result.errorCode === (P | RSVD);
  };
  assertEquals(faults("long", pageEntry.PS), true);
  assertEquals(faults("long", pageEntry.G), false);
  for (const bit of [1n, 2n, 5n, 8n, 63n]) assertEquals(faults("pae", 1n << bit), true);
  for (const bit of [3n, 4n, 9n]) assertEquals(faults("pae", 1n << bit), false);
});

Deno.test("without CR4.PSE bit 7 of a page directory entry names no large page", () => {
  const state = machineState("paged", {
    map: [{ virtual: 0x400000, physical: 0x11000, bits: 0n }],
  });
  const memory = initialMemory(state);
  const directory = new DataView(memory.buffer, Number(state.sregs.cr3));
  const entry = directory.getUint32(4, true);
  directory.setUint32(4, entry | 0x80, true);
  const result = walk(memory, { ...state.sregs, cr4: 0n }, 0x400000);
  assertEquals(result.kind === "translated" && result.physical, 0x11000n);
});

Deno.test("without paging an address is its low 32 bits", () => {
  const result = walk(new Uint8Array(), machineState("protected").sregs, 0x1_2345_6789);
  assertEquals(result.kind === "translated" && result.physical, 0x23456789n);
});

Deno.test("the walker says when it cannot read a table or does not know the mode", () => {
  const { sregs } = machineState("long");
  assertThrows(() => walk(new Uint8Array(0x1000), sregs, 0), PageTableError, "outside");
  const la57 = { ...sregs, cr4: sregs.cr4 | CR4.LA57 };
  assertThrows(() => walk(new Uint8Array(0x20000), la57, 0), PageTableError, "LA57");
});

Deno.test("a mapping that the mode cannot hold is an error that says why", () => {
  const wrong: [PagingMode, PageMapping, string][] = [
    ["long", { virtual: 0x8001, physical: 0 }, "virtual 0x8001"],
    ["long", { virtual: 0x8000, physical: 0x10 }, "physical 0x10"],
    ["long", { virtual: 0x8000, physical: 0, size: 0x1800 }, "size 0x1800"],
    ["long", { virtual: 0x8000, physical: 0, size: 0 }, "size is 0"],
    ["long", { virtual: 0x8000, physical: 0, pageSize: 0x200000 }, "multiple of 0x200000"],
    ["long", { virtual: 0x8000, physical: 0, pageSize: 0x400000 }, "no pages of"],
    ["pae", { virtual: 0, physical: 0, pageSize: 0x40000000 }, "no pages of"],
    ["paged", { virtual: 0, physical: 0, pageSize: 0x200000 }, "no pages of"],
    ["paged", { virtual: 0x100000000, physical: 0 }, "4 GiB"],
    ["pae", { virtual: 0xfffff000, physical: 0, size: 0x2000 }, "4 GiB"],
    ["long", { virtual: 0x800000000000n, physical: 0 }, "canonical"],
    ["long", { virtual: 0x7ffffffff000n, physical: 0, size: 0x2000 }, "canonical"],
    ["long", { virtual: 0xfffffffffffff000n, physical: 0, size: 0x2000 }, "canonical"],
    ["paged", { virtual: 0, physical: 0x100000000 }, "32 bits"],
    ["long", { virtual: 0, physical: 1n << 52n }, "52 bits"],
    ["paged", { virtual: 0, physical: 0, executable: false }, "XD"],
    ["paged", { virtual: 0, physical: 0, bits: 1n << 32n }, "bits"],
    ["long", { virtual: -0x1000, physical: 0 }, "unsigned"],
    ["long", { virtual: 2 ** 60, physical: 0 }, "safe integer"],
  ];
  for (const [mode, mapping, message] of wrong) {
    assertThrows(() => new PageTables(mode).map(mapping), PageTableError, message);
  }
});

Deno.test("running out of table pages is an error, with as many pages as the region has", () => {
  const region = { address: 0x10000, size: 0x4000 };
  const tables = new PageTables("long", false, region);
  tables.map({ virtual: 0, physical: 0 });
  assertEquals(tables.bytes().length, 0x4000);
  tables.map({ virtual: 0x1000, physical: 0 });
  assertThrows(() => tables.map({ virtual: 0x200000, physical: 0 }), PageTableError, "used up");
});
