import {
  type ExpectedLine,
  type ExpectedTrace,
  type Hole,
  isState,
  type StateEvent,
  stateKey,
  type StreamEvent,
  type Trace,
  type TraceEvent,
} from "./event.ts";
import { type Access, type Answer, LineMatch, matchesState } from "./match.ts";

/** Where an actual trace first leaves the expected one. */
export interface Divergence {
  /**
   * `different`: another event came than the expected one, or a state has another value; `missing`:
   * the trace ended before the expected line; `extra`: an event after the end of the expected trace;
   * `undeclared`: a state changed, but the trace does not say so.
   */
  readonly reason: "different" | "missing" | "extra" | "undeclared";
  /** The expected line that did not match; absent at the end of the expected trace. */
  readonly expected?: ExpectedLine;
  /** Index of that line in the expected trace, or the trace's length at its end. */
  readonly expectedIndex: number;
  /** The event that did not match; absent where the actual trace ended. */
  readonly actual?: TraceEvent;
  /** Index of that event among all the actual ones, or their number where it ended. */
  readonly actualIndex: number;
}

/** The outcome of a comparison. */
export type Comparison =
  | { readonly ok: true }
  | { readonly ok: false; readonly divergence: Divergence };

/** The lines of one stream, and how far they are matched. */
interface Stream {
  readonly lines: readonly { readonly index: number; readonly line: ExpectedLine }[];
  next: number;
  /** The match of the next line; made anew when the line is complete. */
  match: LineMatch | undefined;
}

/**
 * An expected trace as the host's script: it says what to answer, and judges what comes.
 *
 * Events of one vCPU (the prefix `N: `) are matched in their order, and so are the events without a
 * prefix; between these streams no order is promised. A list of an access matches any split of it in
 * order, a single value one exit alone.
 *
 * @example
 * ```ts
 * import { parse } from "./parse.ts";
 * import { Script } from "./script.ts";
 *
 * const script = new Script(parse("pio in 0x60 u8 -> 0x1c\nhlt"));
 * script.answer({ kind: "pio", direction: "in", port: 0x60n, size: 1, count: 1 }); // [0x1cn]
 * script.accept({ kind: "pio", direction: "in", port: 0x60n, size: 1, value: 0x1cn }); // true
 * script.accept({ kind: "hlt" }); // true
 * script.finish([]); // { ok: true }
 * ```
 */
export class Script {
  readonly #expected: ExpectedTrace;
  readonly #streams = new Map<number | undefined, Stream>();
  #accepted = 0;
  #divergence: Divergence | undefined;

  /** Nothing is matched yet. */
  constructor(expected: ExpectedTrace) {
    this.#expected = expected;
    for (const [vcpu, lines] of streamsOf(expected)) {
      this.#streams.set(vcpu, { lines, next: 0, match: undefined });
    }
  }

  /** The first divergence, once there is one. */
  get divergence(): Divergence | undefined {
    return this.#divergence;
  }

  /**
   * What the host has to answer to an access, if the script expects it next; where the script says
   * `*`, all ones. Nothing is consumed: complete the event with the answer and `accept` it.
   */
  answer(access: Access): Answer | undefined {
    const stream = this.#streams.get(access.vcpu);
    if (this.#divergence || !stream) return;
    return currentMatch(stream)?.answer(access);
  }

  /** Consumes an event; false from the first one on that the expected trace does not allow. */
  accept(actual: StreamEvent): boolean {
    if (this.#divergence) return false;
    const actualIndex = this.#accepted;
    const stream = this.#streams.get(actual.vcpu);
    const match = stream && currentMatch(stream);
    if (!stream || !match) {
      const expectedIndex = this.#expected.length;
      this.#divergence = { reason: "extra", expectedIndex, actual, actualIndex };
      return false;
    }
    const step = match.take(actual);
    if (step === "mismatch") {
      const { line: expected, index: expectedIndex } = stream.lines[stream.next];
      this.#divergence = { reason: "different", expected, expectedIndex, actual, actualIndex };
      return false;
    }
    this.#accepted++;
    if (step === "complete") {
      stream.next++;
      stream.match = undefined;
    }
    return true;
  }

  /** Whether every expected event has come: of one vCPU, or of all streams. */
  exhausted(vcpu?: number): boolean {
    const streams = vcpu === undefined ? [...this.#streams.values()] : [this.#streams.get(vcpu)];
    return streams.every((stream) => !stream || stream.next === stream.lines.length);
  }

  /**
   * The outcome, given the final state: every expected event must have come, every expected state
   * must be there with its value, and there must be no other. The order of the state is free.
   */
  finish(state: readonly StateEvent[]): Comparison {
    this.#divergence ??= this.#missingEvent() ?? this.#stateDivergence(state);
    return this.#divergence ? { ok: false, divergence: this.#divergence } : { ok: true };
  }

  #missingEvent(): Divergence | undefined {
    const missing = [...this.#streams.values()]
      .flatMap(({ lines, next }) => lines.slice(next, next + 1))
      .sort((a, b) => a.index - b.index)[0];
    if (!missing) return;
    return {
      reason: "missing",
      expected: missing.line,
      expectedIndex: missing.index,
      actualIndex: this.#accepted,
    };
  }

  #stateDivergence(state: readonly StateEvent[]): Divergence | undefined {
    const unpaired = new Map(state.map((actual, index) => [stateKey(actual), { actual, index }]));
    for (const [expectedIndex, expected] of this.#expected.entries()) {
      if (!isState(expected)) continue;
      const key = stateKey(expected);
      const found = unpaired.get(key);
      const actualIndex = this.#accepted + (found?.index ?? state.length);
      if (!found) return { reason: "missing", expected, expectedIndex, actualIndex };
      if (!matchesState(expected, found.actual)) {
        const { actual } = found;
        return { reason: "different", expected, expectedIndex, actual, actualIndex };
      }
      unpaired.delete(key);
    }
    for (const { actual, index } of unpaired.values()) {
      const actualIndex = this.#accepted + index;
      const expectedIndex = this.#expected.length;
      return { reason: "undeclared", expectedIndex, actual, actualIndex };
    }
  }
}

/**
 * Compares a complete recorded trace with an expected one.
 *
 * @example
 * ```ts
 * import { compare, parse, parseRecorded } from "@trapline/trapline";
 *
 * compare(parse("hlt | shutdown"), parseRecorded("hlt")); // { ok: true }
 * ```
 */
export function compare(expected: ExpectedTrace, actual: Trace): Comparison {
  const script = new Script(expected);
  const state: StateEvent[] = [];
  for (const event of actual) {
    if (isState(event)) state.push(event);
    else script.accept(event);
  }
  return script.finish(state);
}

/** The events of a trace by the stream in which their order is promised, each with its index. */
export function streamsOf<T extends ExpectedLine>(
  trace: readonly T[],
): Map<number | undefined, { index: number; line: Exclude<T, StateEvent<Hole>> }[]> {
  const streams = new Map<
    number | undefined,
    { index: number; line: Exclude<T, StateEvent<Hole>> }[]
  >();
  for (const [index, line] of trace.entries()) {
    if (isState(line)) continue;
    const stream = streams.get(line.vcpu) ?? [];
    streams.set(line.vcpu, stream);
    stream.push({ index, line: line as Exclude<T, StateEvent<Hole>> });
  }
  return streams;
}

function currentMatch(stream: Stream): LineMatch | undefined {
  const current = stream.lines[stream.next];
  return current && (stream.match ??= new LineMatch(current.line));
}
