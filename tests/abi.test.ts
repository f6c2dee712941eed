import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  decode,
  encode,
  type Field,
  fieldSize,
  type Layout,
  LayoutError,
  type Struct,
  type ValueOf,
} from "../ffi/abi/layout.ts";
import * as control from "../ffi/abi/control.ts";
import * as interrupts from "../ffi/abi/interrupts.ts";
import * as memory from "../ffi/abi/memory.ts";
import * as registers from "../ffi/abi/registers.ts";
import * as run from "../ffi/abi/run.ts";
import * as xen from "../ffi/abi/xen.ts";
import { capabilities } from "../ffi/abi/capabilities.ts";
import { constants } from "../ffi/abi/constants.ts";
import { exitDetails, exitReasons, internalErrors, systemEvents } from "../ffi/abi/exits.ts";
import { ioctls } from "../ffi/abi/ioctls.ts";

/** Every table of a structure, by the name of its export. */
const structs: [string, Struct][] = [control, interrupts, memory, registers, run, xen]
  .flatMap((module) => Object.entries<object>(module))
  .filter((entry): entry is [string, Struct] => "fields" in entry[1]);

// ---------------------------------------------------------------------------------------------
// The tables against the C header

/** The macro that came with a structure or field which headers of 6.1 do not have yet. */
const since: Record<string, string> = {
  kvm_userspace_memory_region2: "KVM_SET_USER_MEMORY_REGION2",
  kvm_create_guest_memfd: "KVM_CREATE_GUEST_MEMFD",
  kvm_memory_attributes: "KVM_SET_MEMORY_ATTRIBUTES",
  kvm_pre_fault_memory: "KVM_PRE_FAULT_MEMORY",
  kvm_run_memory_fault: "KVM_EXIT_MEMORY_FAULT",
  kvm_xen_hvm_attr_runstate_update_flag: "KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG",
  kvm_xen_hvm_attr_shared_info_hva: "KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA",
  kvm_xen_vcpu_attr_hva: "KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA",
  "kvm_run_hypercall.flags": "KVM_EXIT_HYPERCALL_LONG_MODE",
};

/** One number of the tables and the C expression that must equal it. */
interface Check {
  readonly what: string;
  readonly expected: bigint;
  readonly expression: string;
  readonly guard?: string;
}

function fieldChecks(
  title: string,
  tag: string,
  layout: Layout,
  base: number,
  path: string,
): Check[] {
  return Object.entries(layout.fields).flatMap(([name, field]) => {
    const [offset, type, ...dimensions] = field;
    const what = `${title}.${name}`;
    const guard = since[title] ?? since[what];
    const member = path + name;
    const object = `((struct ${tag} *)0)->${member}`;
    const checks: Check[] = [{
      what: `offset of ${what}`,
      expected: BigInt(base + offset),
      expression: `offsetof(struct ${tag}, ${member})`,
    }, {
      what: `size of ${what}`,
      expected: BigInt(fieldSize(field)),
      expression: `sizeof(${object})`,
    }];
    const last = dimensions.map((length) => `[${length - 1}]`).join("");
    const element = fieldSize([0, type]);
    const lastOffset = base + offset + fieldSize(field) - element;
    if (dimensions.length > 0) {
      checks.push({
        what: `offset of ${what}${last}`,
        expected: BigInt(lastOffset),
        expression: `offsetof(struct ${tag}, ${member}${last})`,
      });
    }
    if (typeof type !== "string") {
      checks.push(...fieldChecks(what, tag, type, lastOffset, `${member}${last}.`));
    } else if (!(type === "u8" && dimensions.length > 0)) {
      // C's own types are integers but for the redirection table, whose elements are unions.
      const scalar = name === "redirtbl" ? `${object}${last}.bits` : `${object}${last}`;
      checks.push({
        what: `sign of ${what}`,
        expected: type.startsWith("s") ? 1n : 0n,
        expression: `((__typeof__(${scalar}))-1 < (__typeof__(${scalar}))0)`,
      });
    }
    return checks.map((check) => guard === undefined ? check : { ...check, guard });
  });
}

function structChecks([title, struct]: [string, Struct]): Check[] {
  const { name: tag, member, size, tail } = struct;
  const guard = since[title];
  const checks: Check[] = [{
    what: `size of ${title}`,
    expected: BigInt(size),
    expression: `sizeof(struct ${tag})`,
    guard,
  }];
  if (tail !== undefined) {
    checks.push({
      what: `offset of ${title}.${tail}`,
      expected: BigInt(size),
      expression: `offsetof(struct ${tag}, ${tail})`,
      guard,
    });
  }
  checks.push(...fieldChecks(title, tag, struct, 0, member === undefined ? "" : `${member}.`));
  return checks;
}

function macroChecks(table: Readonly<Record<string, number>>): Check[] {
  return Object.entries(table).map(([name, value]) => ({
    what: name,
    expected: BigInt(value),
    expression: name,
    guard: name,
  }));
}

function bitFieldChecks(): Check[] {
  return Object.entries(interrupts.kvm_ioapic_redirection_entry).map(([name, [bit, width]]) => ({
    what: `bits of kvm_ioapic_redirection_entry.${name}`,
    expected: (2n ** BigInt(width) - 1n) << BigInt(bit),
    expression: `({ struct kvm_ioapic_state s = {0}; ` +
      `s.redirtbl[0].fields.${name} = ~0; s.redirtbl[0].bits; })`,
  }));
}

const checks: Check[] = [
  ...structs.flatMap(structChecks),
  ...bitFieldChecks(),
  ...[capabilities, constants, exitDetails, exitReasons, internalErrors, ioctls, systemEvents]
    .flatMap(macroChecks),
];

/** A C program that prints the index and the value of every check its header knows. */
function probe(): string {
  const lines = checks.map(({ expression, guard }, index) => {
    const line = `  printf("%d %llu\\n", ${index}, (unsigned long long)(${expression}));`;
    return guard === undefined ? line : `#ifdef ${guard}\n${line}\n#endif`;
  });
  return `#include <stddef.h>\n#include <stdio.h>\n#include <linux/kvm.h>\n` +
    `int main(void) {\n${lines.join("\n")}\n  return 0;\n}\n`;
}

function gcc(args: string[], source: string): Promise<Deno.CommandOutput> {
  const child = new Deno.Command("gcc", {
    args: ["-w", "-x", "c", ...args, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = new Blob([source]).stream().pipeTo(child.stdin);
  return Promise.all([child.output(), stdin]).then(([output]) => output);
}

/** What keeps the comparison from being made here, or nothing. */
async function obstacle(): Promise<string | undefined> {
  if (Deno.build.arch !== "x86_64") return `needs an x86-64 machine, this is ${Deno.build.arch}`;
  try {
    const { success } = await gcc(["-fsyntax-only"], "#include <linux/kvm.h>\n");
    return success ? undefined : "needs the C header <linux/kvm.h> (Debian: linux-libc-dev)";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "needs gcc on PATH";
    throw error;
  }
}

const missing = await obstacle();

Deno.test({
  name: `every number of the tables is that of <linux/kvm.h>${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const program = `${directory}/probe`;
      const compiled = await gcc(["-o", program], probe());
      assert(compiled.success, new TextDecoder().decode(compiled.stderr));
      const { stdout, success } = await new Deno.Command(program).output();
      assert(success, "the probe failed");

      const measured = new Map(
        new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
          const [index, value] = line.split(" ");
          return [Number(index), BigInt(value)];
        }),
      );
      const unknown = checks.filter((_, index) => !measured.has(index));
      const wrong = checks.flatMap(({ what, expected }, index) => {
        const value = measured.get(index);
        return value === undefined || value === expected
          ? []
          : [`${what}: the table says ${expected}, the header ${value}`];
      });
      console.log(`${measured.size} of ${checks.length} numbers compared`);
      if (unknown.length > 0) {
        const names = new Set(unknown.map(({ what, guard }) => guard ?? what));
        console.log(`not in this header: ${[...names].join(" ")}`);
      }
      assertEquals(wrong, []);
      // A header of 6.1 knows 97 % of the numbers; far fewer means that the probe went wrong.
      assertGreater(measured.size, checks.length * 0.9);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("no field overlaps another or leaves its structure", () => {
  function check(title: string, layout: Layout): void {
    let end = 0;
    for (const [name, field] of Object.entries(layout.fields)) {
      assert(field[0] >= end, `${title}.${name} starts at ${field[0]}, before ${end}`);
      end = field[0] + fieldSize(field);
      assert(end <= layout.size, `${title}.${name} ends at ${end}, beyond ${layout.size}`);
      if (typeof field[1] !== "string") check(`${title}.${name}`, field[1]);
    }
  }
  assertGreater(structs.length, 80);
  for (const [title, struct] of structs) check(title, struct);
});

// ---------------------------------------------------------------------------------------------
// Reading and writing

/** Values that a layout can hold. */
function valuesOf(layout: Layout): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(
    Object.fromEntries(
      Object.entries(layout.fields).map(([name, field]) => [name, fieldValues(field)]),
    ),
    { noNullPrototype: true },
  );
}

function fieldValues([offset, type, ...dimensions]: Field): fc.Arbitrary<unknown> {
  const [length, ...inner] = dimensions;
  if (length !== undefined) {
    const exactly = { minLength: length, maxLength: length };
    if (type === "u8" && inner.length === 0) return fc.uint8Array(exactly);
    return fc.array(fieldValues([offset, type, ...inner]), exactly);
  }
  if (typeof type !== "string") return valuesOf(type);
  const bits = Number(type.slice(1));
  const [low, high] = type[0] === "u"
    ? [0n, 2n ** BigInt(bits) - 1n]
    : [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n];
  return bits === 64
    ? fc.bigInt({ min: low, max: high })
    : fc.integer({ min: Number(low), max: Number(high) });
}

/** Which bytes of a layout belong to a field. */
function fieldBytes(layout: Layout, base: number, into: Uint8Array): void {
  for (const [offset, type, ...dimensions] of Object.values(layout.fields)) {
    const size = fieldSize([offset, type, ...dimensions]);
    if (typeof type === "string") into.fill(1, base + offset, base + offset + size);
    else for (let at = 0; at < size; at += type.size) fieldBytes(type, base + offset + at, into);
  }
}

Deno.test("what is encoded is decoded, and no other byte is touched", () => {
  for (const [title, struct] of structs) {
    const owned = new Uint8Array(struct.size);
    fieldBytes(struct, 0, owned);
    fc.assert(
      fc.property(
        valuesOf(struct),
        fc.nat(32),
        fc.integer({ min: 0, max: 255 }),
        (value, offset, fill) => {
          const bytes = new Uint8Array(64 + struct.size).fill(fill);
          const view = new DataView(bytes.buffer, 3);
          encode(struct, view, value as ValueOf<Struct>, offset);
          assertEquals(decode(struct, view, offset), value, title);
          const start = 3 + offset;
          const strays = bytes.findIndex((byte, at) => byte !== fill && owned[at - start] !== 1);
          assertEquals(strays, -1, `${title}: byte ${strays - start} was written`);
        },
      ),
      { numRuns: 20 },
    );
  }
});

Deno.test("bytes are read where and as C lays them out", () => {
  const bytes = Uint8Array.from({ length: 416 }, (_, index) => index & 0xff);
  const view = new DataView(bytes.buffer);
  assertEquals(decode(registers.kvm_segment, view, 1), {
    base: 0x0807060504030201n,
    limit: 0x0c0b0a09,
    selector: 0x0e0d,
    type: 0x0f,
    present: 0x10,
    dpl: 0x11,
    db: 0x12,
    s: 0x13,
    l: 0x14,
    g: 0x15,
    avl: 0x16,
    unusable: 0x17,
  });
  const { xmm } = decode(registers.kvm_fpu, view);
  assertEquals(xmm.length, 16);
  assertEquals(xmm[1], Uint8Array.from({ length: 16 }, (_, index) => 168 + index));

  view.setInt32(0, -1, true);
  assertEquals(decode(interrupts.kvm_irq_level_status, view).status, -1);
  view.setBigInt64(16, -2n, true);
  assertEquals(decode(interrupts.kvm_pit_channel_state, view).count_load_time, -2n);
  view.setInt16(4, -3, true);
  assertEquals(decode(control.kvm_stats_desc, view).exponent, -3);
});

Deno.test("a decoded value shares no memory with the view", () => {
  const view = new DataView(new ArrayBuffer(1024));
  const { regs } = decode(interrupts.kvm_lapic_state, view);
  view.setUint8(0, 1);
  assertEquals(regs[0], 0);
});

Deno.test("a structure outside the view is refused with the sizes", () => {
  const view = new DataView(new ArrayBuffer(150));
  decode(registers.kvm_regs, view, 6);
  const value = decode(registers.kvm_regs, view);
  for (const offset of [7, -1, NaN, 1e9]) {
    const message = `kvm_regs takes 144 bytes at offset ${offset}; the view has 150`;
    assertThrows(() => decode(registers.kvm_regs, view, offset), LayoutError, message);
    assertThrows(() => encode(registers.kvm_regs, view, value, offset), LayoutError, message);
  }
  assertThrows(() => decode(run.kvm_run_io, view), LayoutError, "kvm_run.io takes 2352 bytes");
});

Deno.test("a view of unmapped memory is refused", () => {
  const buffer = new ArrayBuffer(4);
  const view = new DataView(buffer);
  buffer.transfer(0);
  assertThrows(() => decode(interrupts.kvm_interrupt, view), TypeError);
  assertThrows(() => encode(interrupts.kvm_interrupt, view, { irq: 1 }), TypeError);
});

Deno.test("a value that does not fit its field is refused by the field's path", () => {
  const view = new DataView(new ArrayBuffer(4096));
  const layouts: [Struct, unknown, string][] = [
    [interrupts.kvm_interrupt, { irq: -1 }, "kvm_interrupt.irq is -1"],
    [interrupts.kvm_interrupt, { irq: 2 ** 32 }, "kvm_interrupt.irq is 4294967296"],
    [interrupts.kvm_interrupt, { irq: 0.5 }, "kvm_interrupt.irq is 0.5"],
    [interrupts.kvm_interrupt, { irq: 1n }, "kvm_interrupt.irq is 1n"],
    [interrupts.kvm_interrupt, {}, "kvm_interrupt.irq is undefined"],
    [interrupts.kvm_interrupt, null, "kvm_interrupt is null"],
    [interrupts.kvm_vapic_addr, { vapic_addr: 1 }, "kvm_vapic_addr.vapic_addr is 1;"],
    [interrupts.kvm_vapic_addr, { vapic_addr: -1n }, "kvm_vapic_addr.vapic_addr is -1n"],
    [interrupts.kvm_vapic_addr, { vapic_addr: 2n ** 64n }, "takes a bigint of 0 to 2^64-1"],
    [interrupts.kvm_lapic_state, { regs: new Uint8Array(1023) }, "Uint8Array of 1024 bytes"],
    [interrupts.kvm_lapic_state, { regs: new Array(1024).fill(0) }, "Uint8Array of 1024 bytes"],
    [control.kvm_guest_debug, { control: 0, arch: 1 }, "kvm_guest_debug.arch is 1"],
    [
      control.kvm_guest_debug,
      { control: 0, arch: { debugreg: [0n] } },
      "kvm_guest_debug.arch.debugreg must be an array of 8",
    ],
    [
      control.kvm_enable_cap,
      { cap: 1, flags: 0, args: [0n, 0n, 0n, 0] },
      "kvm_enable_cap.args[3] is 0;",
    ],
    [
      interrupts.kvm_irq_level_status,
      { status: 2 ** 31, level: 0 },
      "kvm_irq_level.status is 2147483648; s32 takes -2147483648 to 2147483647",
    ],
  ];
  for (const [layout, value, message] of layouts) {
    assertThrows(
      () => encode(layout, view, value as ValueOf<Struct>),
      LayoutError,
      message,
    );
  }
});
