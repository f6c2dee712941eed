import {
  type ExpectedLine,
  type ExpectedTrace,
  isState,
  type StateEvent,
  stateKey,
  type StreamEvent,
  type Trace,
} from "./event.ts";
import { formatLine } from "./format.ts";
import { LineMatch, matchesState } from "./match.ts";
import { type Divergence, streamsOf } from "./script.ts";

/** One line of a rendered difference. */
export interface DiffLine {
  /** ` ` in both, `-` expected only, `+` actual only. */
  readonly mark: " " | "-" | "+";
  /** The line's canonical text; of a line in both, the actual one. */
  readonly text: string;
  /** Present on the line where the traces first diverge. */
  readonly first?: true;
}

/** Beyond so many pairs of lines the rest is shown unaligned: a runaway guest's trace is long. */
const PAIRS = 250_000;

/**
 * Renders how an actual trace differs from the expected one, for people.
 *
 * The streams (events without a vCPU, then those of each vCPU) follow one another, since no order is
 * promised between them; then comes the final state. Every exit of a list that was matched in
 * several is shown as common.
 *
 * @throws {RangeError} when an event holds what the language cannot write.
 *
 * @example
 * ```ts
 * import { compare, diff, parse, parseRecorded } from "@trapline/trapline";
 *
 * const expected = parse("pio out 0x10 u8 0x41\nhlt");
 * const actual = parseRecorded("hlt");
 * const comparison = compare(expected, actual);
 * if (!comparison.ok) {
 *   for (const { mark, text } of diff(expected, actual, comparison.divergence)) {
 *     console.log(`${mark} ${text}`);
 *   }
 * }
 * ```
 */
export function diff(
  expected: ExpectedTrace,
  actual: Trace,
  divergence: Divergence,
): DiffLine[] {
  const promised = streamsOf(expected);
  const found = streamsOf(actual);
  const vcpus = [...new Set([...promised.keys(), ...found.keys()])]
    .filter((vcpu) => vcpu !== undefined).sort((a, b) => a - b);
  const at = divergence.expected ?? divergence.actual;
  const inState = at !== undefined && isState(at);
  const lines = [undefined, ...vcpus].flatMap((vcpu) => {
    const stream = diffStream(
      (promised.get(vcpu) ?? []).map(({ line }) => line),
      (found.get(vcpu) ?? []).map(({ line }) => line),
    );
    return !inState && at?.vcpu === vcpu ? markFirst(stream) : stream;
  });
  const state = diffState(expected.filter(isState), actual.filter(isState));
  return [...lines, ...(inState ? markFirst(state) : state)];
}

/** A divergence in one sentence. */
export function explain({ reason, expected, actual }: Divergence): string {
  const promised = expected && formatLine(expected);
  const found = actual && formatLine(actual);
  switch (reason) {
    case "different":
      return `expected \`${promised}\`, got \`${found}\``;
    case "missing":
      return `expected \`${promised}\`, but the trace ended`;
    case "extra":
      return `got \`${found}\` where the expected trace has ended`;
    case "undeclared":
      return `\`${found}\` changed, but the trace does not say so`;
  }
}

function markFirst(lines: readonly DiffLine[]): DiffLine[] {
  const index = lines.findIndex(({ mark }) => mark !== " ");
  return lines.map((line, i) => i === index ? { ...line, first: true } : line);
}

function diffStream(expected: readonly ExpectedLine[], actual: readonly StreamEvent[]): DiffLine[] {
  // What matches from the start is common, as it was for the script; only the rest is aligned.
  let e = 0;
  let a = 0;
  const lines: DiffLine[] = [];
  for (; e < expected.length; e++) {
    const length = runLength(expected[e], actual, a);
    if (length === 0) break;
    lines.push(...actual.slice(a, a + length).map(common));
    a += length;
  }
  return [...lines, ...align(expected.slice(e), actual.slice(a))];
}

/** How many events from `start` on complete the line; 0 if they do not. */
function runLength(line: ExpectedLine, actual: readonly StreamEvent[], start: number): number {
  const match = new LineMatch(line);
  for (let i = start; i < actual.length; i++) {
    const step = match.take(actual[i]);
    if (step === "complete") return i - start + 1;
    if (step === "mismatch") break;
  }
  return 0;
}

/** Aligns two rests so that as many lines as possible are common. */
function align(expected: readonly ExpectedLine[], actual: readonly StreamEvent[]): DiffLine[] {
  if (expected.length * actual.length > PAIRS) {
    return [...expected.map(removed), ...actual.map(added)];
  }
  const width = actual.length + 1;
  const runs = new Uint32Array(expected.length * width);
  const best = new Uint32Array((expected.length + 1) * width);
  for (let e = expected.length - 1; e >= 0; e--) {
    for (let a = actual.length - 1; a >= 0; a--) {
      const run = runLength(expected[e], actual, a);
      runs[e * width + a] = run;
      best[e * width + a] = Math.max(
        best[(e + 1) * width + a],
        best[e * width + a + 1],
        run > 0 ? best[(e + 1) * width + a + run] + 1 : 0,
      );
    }
  }
  const lines: DiffLine[] = [];
  let e = 0;
  let a = 0;
  while (e < expected.length || a < actual.length) {
    const here = e < expected.length ? best[e * width + a] : 0;
    const run = e < expected.length && a < actual.length ? runs[e * width + a] : 0;
    if (run > 0 && here === best[(e + 1) * width + a + run] + 1) {
      lines.push(...actual.slice(a, a + run).map(common));
      e++;
      a += run;
    } else if (e < expected.length && here === best[(e + 1) * width + a]) {
      lines.push(removed(expected[e++]));
    } else {
      lines.push(added(actual[a++]));
    }
  }
  return lines;
}

function diffState(
  expected: readonly (ExpectedLine & { kind: "state" | "memory" })[],
  actual: readonly StateEvent[],
): DiffLine[] {
  const unpaired = new Map(actual.map((line) => [stateKey(line), line]));
  const lines = expected.flatMap((line): DiffLine[] => {
    const found = unpaired.get(stateKey(line));
    unpaired.delete(stateKey(line));
    if (!found) return [removed(line)];
    return matchesState(line, found) ? [common(found)] : [removed(line), added(found)];
  });
  return [...lines, ...[...unpaired.values()].map(added)];
}

function common(line: ExpectedLine): DiffLine {
  return { mark: " ", text: formatLine(line) };
}

function removed(line: ExpectedLine): DiffLine {
  return { mark: "-", text: formatLine(line) };
}

function added(line: ExpectedLine): DiffLine {
  return { mark: "+", text: formatLine(line) };
}
