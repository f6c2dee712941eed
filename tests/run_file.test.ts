import { assertEquals, assertThrows } from "@std/assert";
import { parseRunFile, RunFileError } from "../src/report/run_file.ts";
import { header, record, runText } from "./records.ts";

Deno.test("a file has its runs, each with its cases by id", () => {
  const text = runText([record("a/b"), record("a/c", "fail")]) +
    runText([record("a/b", "skip")], { backend: "vmx" });
  const { runs, gaps } = parseRunFile("r.jsonl", text);
  assertEquals(gaps, []);
  assertEquals(runs.map(({ header }) => header.backend), ["svm", "vmx"]);
  assertEquals([...runs[0].cases.values()].map(({ id, verdict }) => [id, verdict]), [
    ["a/b", "pass"],
    ["a/c", "fail"],
  ]);
  assertEquals([...runs[1].cases.keys()], ["a/b"]);
});

const whole = runText([record("a/b"), record("a/c")]);

Deno.test("a file that was cut off is read up to there, and it is said", () => {
  const { runs, gaps } = parseRunFile("r.jsonl", whole.slice(0, -40));
  assertEquals([...runs[0].cases.keys()], ["a/b"]);
  assertEquals(gaps, [
    "r.jsonl, line 3, is cut off: it was read up to there",
    "r.jsonl: svm-6.12 has 1 of 2 cases, its run did not end",
  ]);
});

Deno.test("a file may be cut off anywhere", () => {
  const first = whole.indexOf("\n");
  for (let end = first + 1; end < whole.length; end++) {
    const { runs, gaps } = parseRunFile("r.jsonl", whole.slice(0, end));
    const isWhole = end === whole.length - 1;
    assertEquals([runs.length, gaps.length > 0], [1, !isWhole], `${end}`);
  }
});

const malformed: [text: string, message: RegExp][] = [
  ["", /^r\.jsonl holds no run: it is empty$/],
  ["{", /^r\.jsonl holds no run: r\.jsonl, line 1, is cut off/],
  ["{\n", /^r\.jsonl, line 1: .*JSON/],
  ["[]\n", /^r\.jsonl, line 1: it is neither a run's header nor a case$/],
  ["null\n", /^r\.jsonl, line 1: it is neither/],
  [runText([]).replace('"cases":0', '"cases":"0"'), /^r\.jsonl, line 1: its cases is not a number/],
  [runText([record("a/b")]).split("\n")[1] + "\n", /line 1: a case before the header of any run$/],
  [whole.replace('"pass"', '"passed"'), /^r\.jsonl, line 2: its verdict is "passed"$/],
  [
    whole.replace('"milliseconds":2', '"milliseconds":"2"'),
    /line 2: its milliseconds is not a num/,
  ],
  [whole.replace('"spec":[', '"sepc":['), /^r\.jsonl, line 2: its spec is not a list$/],
  [whole.replace('"actual":"hlt"', '"actual":"halt"'), /^r\.jsonl, line 2: trace line 1, column 1/],
  [whole.replace('"actual":"hlt"', '"actual":"hlt | intr"'), /^r\.jsonl, line 2: trace line 1/],
  [
    whole.replace('"cases"', '"shard":"1/0","cases"'),
    /line 1: its shard is "1\/0", not as "1\/4"$/,
  ],
  [whole.replace('"cases"', '"shard":12,"cases"'), /line 1: its shard is 12, not as "1\/4"$/],
  [whole.replace('"cases"', '"params":"npt=0","cases"'), /line 1: its params is not a list$/],
  [whole.replace("{", "("), /^r\.jsonl, line 1: .*JSON/],
];

for (const [text, message] of malformed) {
  Deno.test(`a file is refused: ${message.source}`, () => {
    const error = assertThrows(() => parseRunFile("r.jsonl", text), RunFileError);
    assertEquals(message.test(error.message), true, error.message);
  });
}

Deno.test("a header alone is a run that did not end", () => {
  assertEquals(parseRunFile("r.jsonl", `${JSON.stringify(header({ cases: 2 }))}\n`).gaps, [
    "r.jsonl: svm-6.12 has 0 of 2 cases, its run did not end",
  ]);
});
