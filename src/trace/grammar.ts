/**
 * The grammar of guest events as a table; the parser, the writer and the matcher all read it.
 *
 * @module
 */

/** One operand of a guest event. */
export interface Field {
  /** The property of the event, and the key where `place` is `key`. */
  readonly name: string;
  /** Where it is written: in order, as `name=`, or right of the arrow. */
  readonly place: "operand" | "key" | "answer";
  /** `size` is `uN`; `data` is one value or a list, each of the event's size. */
  readonly form: "value" | "size" | "data" | "list";
  /** Width of a number; 0 where only words are allowed, or where the size gives it. */
  readonly bits: number;
  /** Names allowed in place of a number. */
  readonly words: readonly string[];
  /** The sizes allowed, in bytes, where the form is `size`. */
  readonly sizes: readonly number[];
  /** Absent in an expected line: `open` matches anything, `exact` matches absence alone. */
  readonly optional?: "open" | "exact";
  /** No pattern may stand here, even in an expected trace. */
  readonly concrete?: true;
}

const plain: Omit<Field, "name" | "place" | "bits"> = { form: "value", words: [], sizes: [] };

function number(name: string, bits: number, words: readonly string[] = []): Field {
  return { ...plain, name, bits, words, place: "operand" };
}

function key(name: string, bits: number, optional?: "open"): Field {
  return { ...plain, name, bits, place: "key", ...(optional && { optional }) };
}

function size(...sizes: number[]): Field {
  return { ...plain, name: "size", place: "operand", form: "size", bits: 0, sizes };
}

function data(place: "operand" | "answer"): Field {
  return { ...plain, name: "value", place, form: "data", bits: 0 };
}

const port = number("port", 16);
const address = number("address", 64);
const portSize = size(1, 2, 4);
const accessSize = size(1, 2, 3, 4, 5, 6, 7, 8);
const msr = number("index", 32);
const args: Field = { ...number("args", 64), form: "list", optional: "open" };
const result: Field = { ...number("answer", 64), place: "answer", optional: "open" };
const msrReason: Field = {
  ...key("reason", 0, "open"),
  words: ["filter", "unknown", "inval"],
};

/** The fields of each guest event, by its first word or, for accesses, its first two. */
export const GUEST_EVENTS: ReadonlyMap<string, readonly Field[]> = new Map([
  ["pio in", [port, portSize, data("answer")]],
  ["pio out", [port, portSize, data("operand")]],
  ["mmio read", [address, accessSize, data("answer")]],
  ["mmio write", [address, accessSize, data("operand")]],
  ["hlt", []],
  ["shutdown", []],
  ["irq-window", []],
  ["intr", []],
  ["nmi", []],
  ["set-tpr", []],
  ["dirty-ring-full", []],
  ["bus-lock", []],
  ["ap-reset-hold", []],
  ["timeout", []],
  ["debug", [key("exception", 32), key("rip", 64), key("dr6", 64), key("dr7", 64, "open")]],
  ["rdmsr", [msr, msrReason, { ...number("answer", 64, ["error"]), place: "answer" }]],
  ["wrmsr", [msr, number("value", 64), msrReason, {
    ...number("answer", 0, ["error"]),
    place: "answer",
    optional: "exact",
  }]],
  ["internal-error", [
    number("suberror", 32, ["emulation", "simul-ex", "delivery-ev", "unexpected-exit-reason"]),
  ]],
  ["fail-entry", [number("reason", 64)]],
  ["system-event", [
    number("type", 32, ["shutdown", "reset", "crash", "wakeup", "suspend", "sev-term"]),
  ]],
  ["tpr-access", [key("rip", 64, "open"), key("write", 32, "open")]],
  ["ioapic-eoi", [number("vector", 8)]],
  ["hypercall", [number("nr", 64), args, key("flags", 64, "open"), result]],
  ["notify", [key("flags", 32, "open")]],
  ["memory-fault", [key("flags", 64), key("gpa", 64), key("size", 64)]],
  ["exception", [number("vector", 32), key("error", 32, "open")]],
  ["xen-hypercall", [
    number("nr", 64),
    args,
    key("long", 32, "open"),
    key("cpl", 32, "open"),
    result,
  ]],
  ["hyperv-synic", [msr, key("control", 64), key("siefp", 64), key("simp", 64)]],
  ["hyperv-hypercall", [number("input", 64), args, result]],
  ["hyperv-debug", [
    msr,
    key("control", 64),
    key("send", 64),
    key("receive", 64),
    key("pending", 64),
    result,
  ]],
  ["unknown", [number("reason", 32)]],
] as [string, readonly Field[]][]);

/** The fields of `= mem`. */
export const MEMORY: readonly Field[] = [
  { ...address, concrete: true },
  accessSize,
  data("operand"),
];

/** The fields of an event, given its kind and, for accesses, its direction. */
export function fieldsOf(event: { kind: string; direction?: string }): readonly Field[] {
  const head = event.direction === undefined ? event.kind : `${event.kind} ${event.direction}`;
  return GUEST_EVENTS.get(head) ?? [];
}

/** A number: `0x`, lower case, no padding. */
export const NUMBER = /^0x(?:0|[1-9a-f][0-9a-f]*)$/;

/** A word, or words and numbers joined by dots: `edge`, `cs.base`, `msr.0xc0000080`. */
export const NAME =
  /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?:\.(?:0x(?:0|[1-9a-f][0-9a-f]*)|[a-z][a-z0-9]*(?:-[a-z0-9]+)*))*$/;

/** An errno by its name: `EEXIST`. */
export const ERRNO = /^E[A-Z0-9]+$/;

/** The largest number of so many bits. */
export function maximum(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}
