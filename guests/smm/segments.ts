import { asm, defineCases, type DriveContext, type Segment } from "../../mod.ts";
import { without } from "../_cpuid.ts";
import { comeToHlt, completed, prepared, requires, SAVED } from "./_smram.ts";

type Registers = ReturnType<DriveContext["vcpu"]["sregs"]>;
type Segments = { -readonly [Name in keyof Registers]: Registers[Name] };
const names = ["es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr"] as const;
type Name = (typeof names)[number];

/** Where AMD64's save area has a segment (APM 2 table 10-1). */
const places: Readonly<Record<Name, number>> = {
  es: 0x0,
  cs: 0x10,
  ss: 0x20,
  ds: 0x30,
  fs: 0x40,
  gs: 0x50,
  ldt: 0x70,
  tr: 0x90,
};

/** No register is like another in any part that may differ. */
const distinct: Readonly<Record<Name, Partial<Segment>>> = {
  es: { selector: 0x40, base: 0x11000n, limit: 0x12345, type: 1, db: 1, g: 0, avl: 0 },
  cs: { selector: 0x48, type: 9, avl: 1 },
  ss: { selector: 0x50, base: 0x33000n, limit: 0xbbbbbfff, type: 3, db: 1, g: 1, avl: 1 },
  ds: { selector: 0x58, base: 0x44000n, limit: 0xccccc, type: 5, db: 0, g: 0, avl: 1 },
  fs: { selector: 0x60, base: 0x55000n, limit: 0xdddddfff, type: 7, db: 0, g: 1, avl: 0 },
  gs: { selector: 0x88, base: 0x66000n, limit: 0xeeee, type: 3, db: 1, g: 0, avl: 1 },
  ldt: { selector: 0x90, base: 0x77000n, limit: 0x1ff, type: 2, present: 1, unusable: 0 },
  tr: { selector: 0x98, base: 0x88000n, limit: 0x2ff, type: 11 },
};

/** Two words of the save area: selector, attributes and limit; base. */
function words({ selector, type, s, dpl, present, avl, l, db, g, limit, base }: Segment) {
  const attributes = type | s << 4 | dpl << 5 | present << 7 | avl << 12 | l << 13 | db << 14 |
    g << 15;
  return [BigInt(limit) << 32n | BigInt(attributes << 16 >>> 0) | BigInt(selector), base];
}

const rows = {
  "64-bit": { mode: "long" },
  "32-bit": { mode: "protected" },
} as const;

/** SMM has segments of its own, saves those of before each in its place, and RSM loads each from there. */
export default defineCases("smm/segments", rows, ({ mode }) => ({
  spec: [
    "APM 2 10.2.3: SMM state-save area, table 10-1",
    "APM 2 10.3.5: SMM execution environment",
    "APM 2 10.4: leaving SMM",
  ],
  mode,
  requires,
  guest: asm`
    out 0x10, al
    hlt
    handler:
    out 0x11, al
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { vcpu, run, read, write, assertEquals } = context;
    if (mode === "protected") vcpu.setCpuid(without(0x80000001, 0, "edx", 29));
    comeToHlt(context);
    const before = vcpu.sregs();
    const given: Segments = {
      ...before,
      gdt: { ...before.gdt, base: 0x9000n, limit: 0x123 },
      idt: { ...before.idt, base: 0xa000n, limit: 0x456 },
    };
    for (const name of names) given[name] = { ...before[name], ...distinct[name] };
    vcpu.setSregs(given);
    vcpu.smi();
    run();

    const { cs, ds, es, fs, gs, ss, ldt, tr } = vcpu.sregs();
    const flat = { limit: 0xffffffff, type: 3, present: 1, dpl: 0, db: 0, s: 1, l: 0, g: 1 };
    for (const segment of [ds, es, fs, gs, ss]) {
      assertEquals("a data segment", segment, { ...segment, ...flat, base: 0n, selector: 0 });
    }
    assertEquals("CS", { ...cs, type: 3 }, { ...cs, ...flat, base: 0x200000n, selector: 0 });
    assertEquals("LDT and TR", [ldt, tr], [given.ldt, given.tr]);
    const expected: Segments = { ...given };
    if (mode === "long") {
      const saved = new BigUint64Array(read(SAVED, 0xa0).slice().buffer);
      for (const name of names) {
        const at = places[name] / 8;
        assertEquals(`${name} saved`, [...saved.slice(at, at + 2)], words(given[name]));
      }
      assertEquals(
        "GDT and IDT saved",
        [saved[12] >> 32n, saved[13], saved[16] >> 32n, saved[17]],
        [
          0x123n,
          0x9000n,
          0x456n,
          0xa000n,
        ],
      );
      // What the handler might have made of it.
      for (const name of ["es", "ds", "fs", "gs", "ldt", "tr"] as const) {
        const segment = { ...given[name], selector: given[name].selector + 0x100 };
        segment.base += 0x100000n;
        expected[name] = segment;
        write(SAVED + places[name], new Uint8Array(BigUint64Array.from(words(segment)).buffer));
      }
      expected.gdt = { ...given.gdt, base: 0xb000n, limit: 0x321 };
      expected.idt = { ...given.idt, base: 0xc000n, limit: 0x654 };
      write(SAVED + 0x60, new Uint8Array(BigUint64Array.of(0x321n << 32n, 0xb000n).buffer));
      write(SAVED + 0x80, new Uint8Array(BigUint64Array.of(0x654n << 32n, 0xc000n).buffer));
    }
    // The handler might load others.
    const { ldt: otherLdt, tr: otherTr, gdt: otherGdt } = before;
    vcpu.setSregs({ ...vcpu.sregs(), ldt: otherLdt, tr: otherTr, gdt: otherGdt });
    run();
    assertEquals("the state behind RSM", vcpu.sregs(), expected);
    vcpu.setSregs(before);
  },
  trace: `
    ${mode === "protected" ? "> set-cpuid" : ""}
    ${prepared}
    pio out 0x10 u8 0x0
    ${completed}
    > set-sregs
    > smi
    pio out 0x11 u8 0x0
    > set-sregs
    hlt
    > set-sregs
    = mem 0x${SAVED.toString(16)} u64 [${Array(64).fill("*").join(" ")}]
  `,
}));
