import {
  type Action,
  type Data,
  type ExpectedLine,
  type Hole,
  type Hypercall,
  type HypervDebug,
  type HypervHypercall,
  isHole,
  isKeyed,
  type KeyedOperand,
  type Mmio,
  type Operand,
  type Pio,
  type Rdmsr,
  type StateEvent,
  type StreamEvent,
  type Wrmsr,
  type XenHypercall,
} from "./event.ts";
import { type Field, fieldsOf, maximum, MEMORY } from "./grammar.ts";

/** A KVM_EXIT_IO in, before it is answered. */
export interface PioRead extends Omit<Pio, "direction" | "value"> {
  /** The guest reads. */
  readonly direction: "in";
  /** Elements wanted in this one exit (string I/O). */
  readonly count: number;
}

/** A KVM_EXIT_MMIO read, before it is answered. */
export interface MmioRead extends Omit<Mmio, "direction" | "value"> {
  /** The guest reads. */
  readonly direction: "read";
}

/** An exit that the host has to answer before the guest goes on: the event without its answer. */
export type Access =
  | PioRead
  | MmioRead
  | Omit<Rdmsr, "answer">
  | Omit<Wrmsr, "answer">
  | Omit<Hypercall, "answer">
  | Omit<XenHypercall, "answer">
  | Omit<HypervHypercall, "answer">
  | Omit<HypervDebug, "answer">;

/**
 * What the host answers: the values in order (one for each element of a PIO exit, one for an MMIO
 * read, an RDMSR or a hypercall, none for a WRMSR it takes), or `error` for an MSR access it refuses.
 */
export type Answer = readonly bigint[] | "error";

type Properties = Readonly<Record<string, unknown>>;

/** How far an event has brought an expected line. */
export type Step = "mismatch" | "begun" | "complete";

/** An expected line of a stream, while actual events are matched to it. */
export class LineMatch {
  readonly #alternatives: readonly StreamEvent<Hole>[];
  /** The list that was begun: from there on no alternative is left. */
  #run: ListRun | undefined;

  /** Nothing is matched yet. */
  constructor(line: ExpectedLine) {
    this.#alternatives = line.kind === "either" ? line.alternatives : [line as StreamEvent<Hole>];
  }

  /** What this line makes the host answer, or nothing if the access is not what it expects. */
  answer(access: Access): Answer | undefined {
    if (this.#run) return this.#run.answer(access);
    for (const expected of this.#alternatives) {
      const run = ListRun.begin(expected, access);
      const answer = run ? run.answer(access) : answerOnce(expected, access);
      if (answer !== undefined) return answer;
    }
  }

  /** Matches one actual event; after a mismatch the line is as it was before. */
  take(actual: StreamEvent): Step {
    if (this.#run) return this.#run.take(actual);
    for (const expected of this.#alternatives) {
      const run = ListRun.begin(expected, actual);
      if (!run) {
        if (matchesEvent(expected, actual)) return "complete";
        continue;
      }
      const step = run.take(actual);
      if (step === "begun") this.#run = run;
      if (step !== "mismatch") return step;
    }
    return "mismatch";
  }
}

/** Whether a line of the final state is what the expected line of the same name says. */
export function matchesState(expected: StateEvent<Hole>, actual: StateEvent): boolean {
  if (expected.kind === "state") return matchesOperand(expected.value, actual.value);
  return MEMORY.every((field) => matchesField(field, properties(expected), properties(actual)));
}

/** The open bus: all ones. */
function openBus(bytes: number): bigint {
  return maximum(bytes * 8);
}

function properties(event: object): Properties {
  return event as Properties;
}

function matchesEvent(expected: StreamEvent<Hole>, actual: StreamEvent): boolean {
  if (!sameHead(expected, actual)) return false;
  if (expected.kind === "action") return matchesAction(expected, actual as Action);
  return fieldsOf(expected).every((field) =>
    matchesField(field, properties(expected), properties(actual))
  );
}

function matchesAction(expected: Action<Hole>, actual: Action): boolean {
  return expected.name === actual.name &&
    expected.operands.length === actual.operands.length &&
    expected.operands.every((operand, i) => matchesKeyed(operand, actual.operands[i])) &&
    (expected.answer === undefined
      ? actual.answer === undefined
      : matchesOperand(expected.answer, actual.answer));
}

function sameHead(expected: StreamEvent<Hole>, actual: StreamEvent | Access): boolean {
  return expected.kind === actual.kind &&
    properties(expected).direction === properties(actual).direction;
}

function matchesField(field: Field, expected: Properties, actual: Properties): boolean {
  const promised = expected[field.name] as Operand<Hole> | undefined;
  const found = actual[field.name] as Operand | undefined;
  if (promised === undefined) return field.optional === "open" || found === undefined;
  // One value and a list of one are one access all the same; only an expected list may be split.
  if (field.form === "data" && !Array.isArray(promised) && Array.isArray(found)) {
    return found.length === 1 && matchesOperand(promised, found[0]);
  }
  return matchesOperand(promised, found);
}

function matchesKeyed(
  expected: Operand<Hole> | KeyedOperand<Hole>,
  actual: Operand | KeyedOperand,
): boolean {
  if (isKeyed(expected)) {
    return isKeyed(actual) && expected.key === actual.key &&
      matchesOperand(expected.value, actual.value);
  }
  // `*` stands for one operand, with its key if it has one.
  return isKeyed(actual) ? isHole(expected) && "any" in expected : matchesOperand(expected, actual);
}

function matchesOperand(expected: Operand<Hole>, actual: Operand | undefined): boolean {
  if (actual === undefined) return false;
  if (isHole(expected)) {
    return "any" in expected || expected.oneOf.some((value) => value === actual);
  }
  if (typeof expected === "object" && typeof actual === "object") {
    return expected.length === actual.length &&
      expected.every((element, i) => matchesOperand(element, actual[i]));
  }
  return expected === actual;
}

function answerOnce(expected: StreamEvent<Hole>, access: Access): Answer | undefined {
  if (!sameHead(expected, access)) return;
  if ("count" in access && access.count !== 1) return;
  const matches = fieldsOf(access).every((field) =>
    field.place === "answer" || matchesField(field, properties(expected), properties(access))
  );
  if (!matches) return;
  switch (expected.kind) {
    case "pio":
    case "mmio":
      return [first(expected.value as bigint | Hole, openBus(expected.size)) as bigint];
    case "rdmsr": {
      const answer = first(expected.answer, openBus(8));
      return answer === "error" ? answer : [answer as bigint];
    }
    case "wrmsr":
      return expected.answer === undefined ? [] : "error";
    case "hypercall":
    case "xen-hypercall":
    case "hyperv-hypercall":
    case "hyperv-debug":
      return [first(expected.answer ?? 0n, openBus(8)) as bigint];
  }
}

function first(operand: bigint | string | Hole, open: bigint): bigint | string {
  if (!isHole(operand)) return operand;
  return "any" in operand ? open : operand.oneOf[0];
}

/** A list of an access, while exits are matched to it: what has come of it, byte by byte. */
class ListRun {
  readonly #expected: Pio<Hole> | Mmio<Hole>;
  readonly #list: readonly (bigint | Hole)[];
  /** The port or the address that the first exit had; a pattern is bound by it. */
  readonly #base: bigint;
  readonly #seen: number[] = [];

  private constructor(
    expected: Pio<Hole> | Mmio<Hole>,
    list: readonly (bigint | Hole)[],
    base: bigint,
  ) {
    this.#expected = expected;
    this.#list = list;
    this.#base = base;
  }

  /** A run for an event that may begin it, where a list is expected. */
  static begin(
    expected: StreamEvent<Hole>,
    actual: StreamEvent | Access,
  ): ListRun | undefined {
    if (expected.kind !== "pio" && expected.kind !== "mmio") return;
    if (!isList(expected.value) || !sameHead(expected, actual)) return;
    const base = place(actual as Pio | Mmio);
    if (matchesOperand(place(expected), base)) return new ListRun(expected, expected.value, base);
  }

  answer(access: Access): Answer | undefined {
    if (access.kind !== "pio" && access.kind !== "mmio") return;
    const count = access.kind === "pio" ? access.count : 1;
    if (!this.#fits(access, count)) return;
    const bytes = [...this.#seen];
    const end = bytes.length + count * access.size;
    while (bytes.length < end) bytes.push(this.#byteAfter(bytes));
    return valuesOf(bytes.slice(this.#seen.length), access.size);
  }

  take(actual: StreamEvent): Step {
    if (actual.kind !== "pio" && actual.kind !== "mmio") return "mismatch";
    const values = isList(actual.value) ? actual.value : [actual.value];
    if (!this.#fits(actual, values.length)) return "mismatch";
    const bytes = [...this.#seen, ...bytesOf(values, actual.size)];
    const touched = Math.ceil(bytes.length / this.#expected.size);
    const from = Math.floor(this.#seen.length / this.#expected.size);
    for (let element = from; element < touched; element++) {
      if (this.#candidates(element, bytes)?.length === 0) return "mismatch";
    }
    this.#seen.push(...bytes.slice(this.#seen.length));
    return this.#seen.length === this.#bytes ? "complete" : "begun";
  }

  get #bytes(): number {
    return this.#list.length * this.#expected.size;
  }

  /** Whether an exit goes on where the last one ended, and not beyond the list. */
  #fits(actual: Pio | Mmio | PioRead | MmioRead, count: number): boolean {
    const expected = this.#expected;
    if (!sameHead(expected, actual)) return false;
    if (expected.kind === "pio" && actual.size !== expected.size) return false;
    const next = expected.kind === "pio" ? this.#base : this.#base + BigInt(this.#seen.length);
    const end = this.#seen.length + count * actual.size;
    return count > 0 && place(actual) === next && end <= this.#bytes;
  }

  /** The values of an element that agree with the bytes known of it; nothing if it is `*`. */
  #candidates(element: number, bytes: readonly number[]): bigint[] | undefined {
    const { size } = this.#expected;
    const operand = this.#list[element];
    if (isHole(operand) && "any" in operand) return;
    const values = isHole(operand) ? operand.oneOf as readonly bigint[] : [operand];
    const known = bytes.slice(element * size, (element + 1) * size);
    return values.filter((value) => {
      const promised = bytesOf([value], size);
      return known.every((byte, i) => byte === promised[i]);
    });
  }

  /** What the host answers for the byte after the known ones. */
  #byteAfter(bytes: readonly number[]): number {
    const { size } = this.#expected;
    const candidates = this.#candidates(Math.floor(bytes.length / size), bytes);
    return candidates ? bytesOf(candidates.slice(0, 1), size)[bytes.length % size] : 0xff;
  }
}

function place<H>(
  access: { kind: "pio"; port: bigint | H } | { kind: "mmio"; address: bigint | H },
): bigint | H {
  return access.kind === "pio" ? access.port : access.address;
}

function isList<H>(data: Data<H>): data is readonly (bigint | H)[] {
  return Array.isArray(data);
}

function bytesOf(values: readonly bigint[], size: number): number[] {
  return values.flatMap((value) =>
    Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
  );
}

function valuesOf(bytes: readonly number[], size: number): bigint[] {
  const values: bigint[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    values.push(bytes.slice(start, start + size).reduceRight((v, b) => (v << 8n) | BigInt(b), 0n));
  }
  return values;
}
