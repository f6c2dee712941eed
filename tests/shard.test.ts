import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@4.10.2";
import {
  formatWeights,
  parseWeights,
  shardOf,
  weighRuns,
  WeightsError,
} from "../src/suite/shard.ts";

const suites = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 6 }),
    weight: fc.integer({ min: 1, max: 99 }),
  }),
  { selector: ({ id }) => id, maxLength: 60 },
);

function shards<Item extends { id: string }>(
  items: readonly Item[],
  count: number,
  weights: ReadonlyMap<string, number>,
): Item[][] {
  return Array.from(
    { length: count },
    (_, index) => shardOf(items, ({ id }) => id, { index: index + 1, count }, weights),
  );
}

Deno.test("shards are disjoint, make up the whole, keep its order, and are even", () => {
  fc.assert(fc.property(suites, fc.integer({ min: 1, max: 9 }), (items, count) => {
    const weights = new Map(items.map(({ id, weight }) => [id, weight]));
    const parts = shards(items, count, weights);
    const union = parts.flat();
    assertEquals(union.length, items.length);
    assertEquals(new Set(union), new Set(items));
    for (const part of parts) assertEquals(part, items.filter((item) => part.includes(item)));
    const loads = parts.map((part) => part.reduce((sum, { weight }) => sum + weight, 0));
    const heaviest = Math.max(0, ...items.map(({ weight }) => weight));
    assert(Math.max(...loads) - Math.min(...loads) <= heaviest, String(loads));
  }));
});

Deno.test("shards do not depend on the order in which the suite is listed", () => {
  fc.assert(fc.property(suites, fc.integer({ min: 1, max: 5 }), (items, count) => {
    const weights = new Map(items.map(({ id, weight }) => [id, weight]));
    const ids = (parts: { id: string }[][]) => parts.map((part) => part.map(({ id }) => id).sort());
    assertEquals(
      ids(shards(items, count, weights)),
      ids(shards(items.toReversed(), count, weights)),
    );
  }));
});

Deno.test("a case without a record weighs as the usual case", () => {
  const items = ["a", "b", "c", "d", "heavy"].map((id) => ({ id }));
  const [first, second] = shards(items, 2, new Map([["heavy", 4], ["gone", 100]]));
  assertEquals(first.map(({ id }) => id), ["heavy"]);
  assertEquals(second.map(({ id }) => id), ["a", "b", "c", "d"]);
});

for (const [index, count] of [[0, 2], [3, 2], [1, 0], [1.5, 2], [1, 1.5]]) {
  Deno.test(`there is no shard ${index} of ${count}`, () => {
    assertThrows(() => shardOf([], String, { index, count }, new Map()), RangeError);
  });
}

Deno.test("weights are multiples of a run's median, the largest of all runs", () => {
  const host = new Map([["a", 1], ["b", 1], ["c", 1], ["slow", 30]]);
  const lab = new Map([["a", 190], ["b", 1010], ["c", 100], ["d", 100], ["slow", 100]]);
  assertEquals([...weighRuns([host], new Map())], [["slow", 30]]);
  assertEquals(
    [...weighRuns([host, lab], new Map([["other", 7], ["a", 9]]))],
    [["b", 10], ["other", 7], ["slow", 30]],
  );
  assertEquals([...weighRuns([new Map()], new Map([["a", 3]]))], [["a", 3]]);
});

Deno.test("weights are read back as they were written", () => {
  const weights = new Map([["a/b", 2], ["a/c~d", 100]]);
  assertEquals(parseWeights("d.json", formatWeights(weights)), weights);
});

const damaged: [text: string, message: string][] = [
  ["", "durations d.json is not JSON: "],
  ["[]", "durations d.json is not an object of case ids"],
  ["null", "durations d.json is not an object of case ids"],
  [`{"a/b": "2"}`, `durations d.json, case a/b: "2" is not a number above 0`],
  [`{"a/b": 0}`, "durations d.json, case a/b: 0 is not a number above 0"],
  [`{"a/b": 1e999}`, "durations d.json, case a/b: null is not a number above 0"],
];

for (const [text, message] of damaged) {
  Deno.test(`durations as ${text || "nothing"} are refused`, () => {
    assertThrows(() => parseWeights("d.json", text), WeightsError, message);
  });
}
