import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  type AccessSize,
  ANY,
  type ExpectedLine,
  type Hole,
  isState,
  type StateEvent,
  stateKey,
  type StreamEvent,
  type Trace,
  type TraceEvent,
} from "../src/trace/event.ts";
import { diff } from "../src/trace/diff.ts";
import { format, formatLine } from "../src/trace/format.ts";
import { GUEST_EVENTS } from "../src/trace/grammar.ts";
import type { Access } from "../src/trace/match.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { compare, Script } from "../src/trace/script.ts";
import { TraceError } from "../src/trace/tokens.ts";

type Maybe<H> = fc.Arbitrary<H>[];

const number = (bits: number) => fc.bigInt(0n, (1n << BigInt(bits)) - 1n);
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,3}(-[a-z0-9]{1,3}){0,2}$/);
const name = fc.tuple(
  word,
  fc.array(fc.oneof(word, number(32).map((n) => `0x${n.toString(16)}`)), {
    maxLength: 2,
  }),
).map(([first, rest]) => [first, ...rest].join("."))
  .filter((text) => text !== "mem");
const errno = fc.stringMatching(/^E[A-Z0-9]{1,8}$/);

/** Patterns of an operand, or none in a recorded trace. */
type Holes = <T extends bigint | string>(atom: fc.Arbitrary<T>) => Maybe<Hole>;
const noHoles: Holes = () => [];
const someHoles: Holes = (atom) => [
  fc.constant(ANY),
  fc.array(atom, { minLength: 2, maxLength: 3 }).map((oneOf) => ({ oneOf })),
];

/** Events of every form in the grammar's own table, so that none is forgotten here. */
function guestEvents(holes: Holes): fc.Arbitrary<StreamEvent<Hole>> {
  const heads = [...GUEST_EVENTS].map(([head, fields]) => {
    const [kind, direction] = head.split(" ");
    const base = direction ? { kind, direction } : { kind };
    const sizes = fields.find((field) => field.form === "size")?.sizes ?? [0];
    return fc.constantFrom(...sizes).chain((size) => {
      const arbitraries = fields.map((field) => {
        if (field.form === "size") return fc.constant({ size });
        const bits = field.form === "data" ? size * 8 : field.bits;
        const atom = fc.oneof(
          ...bits > 0 ? [number(bits)] : [],
          ...field.words.length > 0 ? [fc.constantFrom(...field.words)] : [],
        );
        const operand = fc.oneof(atom, ...holes(atom));
        const list = fc.array(operand, { minLength: 1, maxLength: 4 });
        const value = { value: operand, data: fc.oneof(operand, list), list }[field.form];
        const present = value.map((value) => ({ [field.name]: value }));
        return field.optional ? fc.oneof(fc.constant({}), present) : present;
      });
      return fc.tuple(...arbitraries).map((parts) => Object.assign({}, base, ...parts));
    });
  });
  return fc.oneof(...heads);
}

function actions(holes: Holes): fc.Arbitrary<StreamEvent<Hole>> {
  const operand = (atom: fc.Arbitrary<bigint | string>) => {
    const one = fc.oneof(atom, ...holes(atom));
    return fc.oneof(one, fc.array(one, { maxLength: 3 }));
  };
  const plain = operand(fc.oneof(number(64), name));
  const keyed = fc.record({ key: name, value: plain });
  return fc.record({
    kind: fc.constant("action" as const),
    name,
    operands: fc.array(fc.oneof(plain, keyed), { maxLength: 4 }),
    answer: operand(fc.oneof(number(64), name, errno)),
  }, { requiredKeys: ["kind", "name", "operands"] }) as fc.Arbitrary<StreamEvent<Hole>>;
}

function states(holes: Holes): fc.Arbitrary<StateEvent<Hole>> {
  const data = (bits: number, minLength: number) => {
    const one = fc.oneof(number(bits), ...holes(number(bits)));
    return fc.oneof(one, fc.array(one, { minLength, maxLength: 3 }));
  };
  const memory = fc.integer({ min: 1, max: 8 }).chain((size) =>
    fc.record({
      kind: fc.constant("memory" as const),
      address: number(64),
      size: fc.constant(size as AccessSize),
      value: data(size * 8, 1),
    })
  );
  const state = fc.record({ kind: fc.constant("state" as const), name, value: data(64, 0) });
  return fc.oneof(state, memory) as fc.Arbitrary<StateEvent<Hole>>;
}

function traces(holes: Holes): fc.Arbitrary<ExpectedLine[]> {
  const event = fc.oneof(guestEvents(holes), actions(holes));
  const either = fc.array(event, { minLength: 2, maxLength: 3 })
    .map((alternatives): ExpectedLine => ({ kind: "either", alternatives }));
  const vcpu = fc.option(fc.nat(4), { nil: undefined });
  const placed = <T extends ExpectedLine>(line: fc.Arbitrary<T>) =>
    fc.tuple(line, vcpu).map(([line, vcpu]) => vcpu === undefined ? line : { ...line, vcpu });
  return fc.tuple(
    fc.array(placed(holes === noHoles ? event : fc.oneof(event, either)), { maxLength: 6 }),
    fc.uniqueArray(placed(states(holes)), { selector: stateKey, maxLength: 4 }),
  ).map(([events, state]) => [...events, ...state]);
}

const expectedTraces = traces(someHoles);
const recordedTraces = traces(noHoles) as fc.Arbitrary<Trace>;

Deno.test("any trace is read as it was written", () => {
  fc.assert(fc.property(expectedTraces, (trace) => {
    const text = format(trace);
    assertEquals(parse(text), trace);
    assertEquals(format(parse(text)), text);
  }));
});

Deno.test("any recorded trace is read as it was written, and matches itself", () => {
  fc.assert(fc.property(recordedTraces, (trace) => {
    assertEquals(parseRecorded(format(trace)), trace);
    assertEquals(compare(trace, trace), { ok: true });
  }));
});

Deno.test("a trace with one line changed, missing, extra or moved does not match", () => {
  const lines = fc.oneof(guestEvents(noHoles), actions(noHoles)) as fc.Arbitrary<StreamEvent>;
  fc.assert(fc.property(
    fc.array(lines, { minLength: 1, maxLength: 6 }),
    fc.nat(),
    lines,
    fc.constantFrom("change", "remove", "insert", "swap"),
    (trace, at, line, mutation) => {
      const index = at % trace.length;
      const mutant = [...trace];
      if (mutation === "change") mutant[index] = line;
      if (mutation === "remove") mutant.splice(index, 1);
      if (mutation === "insert") mutant.splice(index, 0, line);
      if (mutation === "swap") mutant.push(...mutant.splice(index, 1));
      // A line may be exchanged for what its open operands, or its list of one, allow.
      const same = trace.length === mutant.length &&
        trace.every((event, i) => compare([event], [mutant[i]]).ok);
      fc.pre(!same);
      assert(!compare(trace, mutant).ok, format(mutant));
    },
  ));
});

Deno.test("a trace with one digit changed does not match", () => {
  fc.assert(
    fc.property(recordedTraces, fc.nat(), fc.integer({ min: 1, max: 15 }), (trace, at, by) => {
      const text = format(trace);
      const digits = [...text.matchAll(/0x[0-9a-f]+/g)];
      fc.pre(digits.length > 0);
      const { 0: digit, index } = digits[at % digits.length];
      const changed = `0x${(BigInt(digit) ^ BigInt(by)).toString(16)}`;
      const mutant = text.slice(0, index) + changed + text.slice(index + digit.length);
      let read: Trace;
      try {
        read = parseRecorded(mutant);
      } catch (error) {
        // The change may have given a state line the name of another.
        if (error instanceof TraceError) return;
        throw error;
      }
      assert(!compare(trace, read).ok, mutant);
    }),
  );
});

/** Cuts 0..length at some of its inner places. */
function cuts(length: number): fc.Arbitrary<[number, number][]> {
  return fc.subarray(Array.from({ length: length - 1 }, (_, i) => i + 1)).map((inner) => {
    const ends = [...inner, length];
    return ends.map((end, i) => [ends[i - 1] ?? 0, end]);
  });
}

const strings = fc.constantFrom<1 | 2 | 4>(1, 2, 4).chain((size) =>
  fc.record({
    kind: fc.constant("pio" as const),
    direction: fc.constantFrom<"in" | "out">("in", "out"),
    port: number(16),
    size: fc.constant(size),
    value: fc.array(number(size * 8), { minLength: 2, maxLength: 8 }),
  })
);

const splitStrings = strings.chain((list) =>
  cuts(list.value.length).map((ranges) => ({
    list,
    parts: ranges.map(([start, end]) => ({
      ...list,
      value: end - start === 1 ? list.value[start] : list.value.slice(start, end),
    })),
  }))
);

const runs = fc.integer({ min: 1, max: 8 }).chain((size) =>
  fc.record({
    kind: fc.constant("mmio" as const),
    direction: fc.constantFrom<"read" | "write">("read", "write"),
    address: number(63),
    size: fc.constant(size as AccessSize),
    value: fc.array(number(size * 8), { minLength: 2, maxLength: 4 }),
  })
);

const splitRuns = runs.chain((list) => {
  // The bytes as one number, from which each access takes its own.
  const whole = list.value.reduceRight((all, value) => (all << BigInt(8 * list.size)) | value, 0n);
  return cuts(list.size * list.value.length)
    .filter((ranges) => ranges.every(([start, end]) => end - start <= 8))
    .map((ranges) => ({
      list,
      parts: ranges.map(([start, end]) => ({
        ...list,
        address: list.address + BigInt(start),
        size: (end - start) as AccessSize,
        value: BigInt.asUintN(8 * (end - start), whole >> BigInt(8 * start)),
      })),
    }));
});

const splits = fc.oneof(splitStrings, splitRuns);

Deno.test("any split of a list matches it, and is what the host answers", () => {
  fc.assert(fc.property(splits, ({ list, parts }) => {
    assertEquals(compare([list], parts), { ok: true });
    const script = new Script([list]);
    for (const part of parts) {
      const values = Array.isArray(part.value) ? part.value : [part.value];
      const access = { ...part, count: values.length } as unknown as Access;
      const reads = part.direction === "in" || part.direction === "read";
      if (reads) assertEquals(script.answer(access), values);
      assert(!script.exhausted());
      assert(script.accept(part));
    }
    assert(script.exhausted());
  }));
});

Deno.test("a split with one part changed, missing, repeated or moved does not match", () => {
  fc.assert(fc.property(
    splits,
    fc.nat(),
    fc.constantFrom("value", "place", "remove", "repeat", "swap", "foreign"),
    ({ list, parts }, at, mutation) => {
      const index = at % parts.length;
      const mutant: TraceEvent[] = [...parts];
      const part = parts[index];
      if (mutation === "value") {
        mutant[index] = {
          ...part,
          value: Array.isArray(part.value)
            ? part.value.map((v) => v ^ 1n)
            : part.value as bigint ^ 1n,
        } as TraceEvent;
      }
      if (mutation === "place") {
        mutant[index] = part.kind === "pio"
          ? { ...part, port: part.port ^ 1n }
          : { ...part, address: part.address + 1n };
      }
      if (mutation === "remove") mutant.splice(index, 1);
      if (mutation === "repeat") mutant.splice(index, 0, part);
      if (mutation === "foreign") mutant.splice(index, 0, { kind: "hlt" });
      if (mutation === "swap") {
        mutant.push(...mutant.splice(index, 1));
        fc.pre(format(mutant) !== format(parts));
        // Strings at one port may be told apart by their elements alone.
        const elements = (trace: readonly TraceEvent[]) =>
          trace.flatMap((event) => "value" in event ? event.value : []).join();
        fc.pre(list.kind === "mmio" || elements(mutant) !== elements(parts));
      }
      assert(!compare([list], mutant).ok, format(mutant));
    },
  ));
});

Deno.test("a value that is no list is matched by one exit of its size alone", () => {
  fc.assert(fc.property(splitRuns, ({ list, parts }) => {
    fc.pre(parts.length > 1);
    const values = parts.map((part): TraceEvent => part);
    assert(!compare([{ ...list, value: list.value[0] }], values).ok);
    assert(!compare(values, [list]).ok);
  }));
});

Deno.test("the final state matches in any order", () => {
  const state = fc.uniqueArray(states(noHoles), { selector: stateKey, minLength: 1, maxLength: 5 });
  const both = state.chain((lines) =>
    fc.tuple(
      fc.constant(lines),
      fc.shuffledSubarray(lines, { minLength: lines.length, maxLength: lines.length }),
    )
  ) as fc.Arbitrary<[StateEvent[], StateEvent[]]>;
  fc.assert(fc.property(both, ([expected, actual]) => {
    assertEquals(compare(expected, actual), { ok: true });
    assert(!compare(expected, actual.slice(1)).ok);
    assert(!compare(expected.slice(1), actual).ok);
  }));
});

Deno.test("a difference holds both traces, and as much in common as there is", () => {
  // Few kinds of lines, so that much can be in common in several ways.
  const lines = fc.array(fc.constantFrom("nmi", "intr", "hlt"), { maxLength: 8 });
  fc.assert(fc.property(lines, lines, (expected, actual) => {
    const promised = parse(expected.join("\n"));
    const found = parseRecorded(actual.join("\n"));
    const comparison = compare(promised, found);
    if (comparison.ok) return assertEquals(actual, expected);
    const rendered = diff(promised, found, comparison.divergence);
    const texts = (mark: string) =>
      rendered.filter((line) => line.mark !== mark).map(({ text }) => text);
    assertEquals(texts("+"), expected);
    assertEquals(texts("-"), actual);
    const start = expected.findIndex((line, i) => line !== actual[i]);
    const common = start < 0 ? expected.length : start;
    assertEquals(
      rendered.filter(({ mark }) => mark === " ").length,
      common + longestCommon(expected.slice(common), actual.slice(common)),
    );
    assertEquals(rendered.findIndex(({ first }) => first), common);
  }));
});

function longestCommon(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  if (a[0] === b[0]) return 1 + longestCommon(a.slice(1), b.slice(1));
  return Math.max(longestCommon(a.slice(1), b), longestCommon(a, b.slice(1)));
}

Deno.test("whatever the text, it is a trace or a TraceError that points into it", () => {
  const words = [...GUEST_EVENTS.keys()].flatMap((head) => head.split(" "));
  const piece = fc.oneof(
    fc.constantFrom(...words, ...[..." []|=*#>:\n\t", "->", "u8", "u24", "mem", "1:", "EEXIST"]),
    fc.constantFrom("rip=", "reason=filter", "0x1|0x2", "0x100", "0X1", "0x01", "cs.base"),
    number(70).map((n) => `0x${n.toString(16)}`),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const garbage = fc.array(fc.oneof(piece, fc.constant(" ")), { maxLength: 12 })
    .map((pieces) => pieces.join(""));
  const damaged = fc.tuple(expectedTraces, fc.nat(), fc.nat(3), piece)
    .map(([trace, at, length, text]) => {
      const whole = format(trace);
      const start = at % (whole.length + 1);
      return whole.slice(0, start) + text + whole.slice(start + length);
    });
  fc.assert(
    fc.property(fc.oneof(garbage, damaged), (text) => {
      let trace;
      try {
        trace = parse(text);
      } catch (error) {
        if (!(error instanceof TraceError)) throw error;
        const line = text.split("\n")[error.line - 1];
        assertEquals(
          line.slice(error.column - 1, error.column - 1 + error.token.length),
          error.token,
        );
        assert(error.column <= line.length + 1);
        return;
      }
      // What was read is a trace, so its canonical text is one too.
      const canonical = format(trace);
      assertEquals(parse(canonical), trace);
      assertEquals(format(parse(canonical)), canonical);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("what is not state is refused after it", () => {
  fc.assert(fc.property(guestEvents(someHoles), states(someHoles), (event, state) => {
    assert(isState(state) && !isState(event));
    assertThrows(() => parse(`${formatLine(state)}\n${formatLine(event)}`), TraceError);
  }));
});
