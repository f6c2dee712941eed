import { assertEquals, assertThrows } from "@std/assert";
import {
  type Baseline,
  BaselineError,
  isFailure,
  parseBaseline,
  standing,
} from "../src/suite/baseline.ts";
import type { Verdict } from "../src/suite/verdict.ts";

const entry = { verdict: "fail", reason: "no paging", since: "2026-01-31" };

function parse(value: unknown): Baseline {
  return parseBaseline("host.json", typeof value === "string" ? value : JSON.stringify(value));
}

Deno.test("a baseline has its entries by id", () => {
  const baseline = parse({ "a/b": entry, "a/c~d": { ...entry, verdict: "timeout" } });
  assertEquals([...baseline.keys()], ["a/b", "a/c~d"]);
  assertEquals<unknown>(baseline.get("a/b"), entry);
  assertEquals(parse({}).size, 0);
});

const damaged: [what: string, value: unknown, message: string][] = [
  ["no JSON", "{", "baseline host.json is not JSON: "],
  ["an empty file", "", "baseline host.json is not JSON: "],
  ["a list", [], "baseline host.json is not an object of case ids"],
  ["null", null, "baseline host.json is not an object of case ids"],
  ["a number", 1, "baseline host.json is not an object of case ids"],
  ["a string entry", { "a/b": "fail" }, "case a/b: the entry is not an object"],
  ["a null entry", { "a/b": null }, "case a/b: the entry is not an object"],
  ["no verdict", { "a/b": { ...entry, verdict: undefined } }, "the verdict is undefined, not fail"],
  ["a pass", { "a/b": { ...entry, verdict: "pass" } }, 'the verdict is "pass", not fail, timeout'],
  ["a skip", { "a/b": { ...entry, verdict: "skip" } }, 'the verdict is "skip"'],
  ["no reason", { "a/b": { ...entry, reason: undefined } }, "case a/b: it gives no reason"],
  ["a blank reason", { "a/b": { ...entry, reason: " " } }, "case a/b: it gives no reason"],
  ["no date", { "a/b": { ...entry, since: undefined } }, "`since` is undefined, not a date"],
  [
    "a loose date",
    { "a/b": { ...entry, since: "31.1.2026" } },
    '`since` is "31.1.2026", not a date',
  ],
  ["a longer date", { "a/b": { ...entry, since: "2026-01-311" } }, "not a date as 2026-01-31"],
  ["an unknown key", { "a/b": { ...entry, why: 1 } }, "case a/b: nothing is called why here"],
];

for (const [what, value, message] of damaged) {
  Deno.test(`a baseline with ${what} is refused with its place`, () => {
    assertThrows(() => parse(value), BaselineError, message);
  });
}

const verdicts: readonly Verdict[] = ["pass", "fail", "skip", "timeout", "crash", "error"];

Deno.test("failures are every verdict but pass and skip", () => {
  assertEquals(verdicts.filter(isFailure), ["fail", "timeout", "crash", "error"]);
});

Deno.test("an unlisted case stands as it should unless it fails", () => {
  const where = verdicts.map((verdict) => standing(new Map(), "a/b", verdict));
  assertEquals(where, [
    "expected",
    "regression",
    "expected",
    "regression",
    "regression",
    "regression",
  ]);
});

Deno.test("a listed case is known when it fails as listed, stale when it passes", () => {
  const baseline = parse({ "a/b": entry });
  assertEquals(verdicts.map((verdict) => standing(baseline, "a/b", verdict)), [
    "stale",
    "known",
    "expected",
    "regression",
    "regression",
    "regression",
  ]);
  assertEquals(standing(baseline, "a/bc", "fail"), "regression");
});
