/** `deno task compare` and `deno task merge`, on files of runs. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { compare } from "../src/cli/compare.ts";
import { merge } from "../src/cli/merge.ts";
import type { CaseRecord, RunHeader } from "../src/report/json_lines.ts";
import { parseRunFile } from "../src/report/run_file.ts";
import { Guests } from "./case_files.ts";
import { assertRefused, type CommandOutcome, runCommand } from "./command.ts";
import { record, runText } from "./records.ts";

/** Files of runs, beside a suite of their cases. */
class RunFiles extends Guests {
  constructor() {
    super("pass", "fail", "skip", "spin");
  }
  run(name: string, cases: readonly CaseRecord[], changes: Partial<RunHeader> = {}): string {
    return this.write(name, runText(cases, changes));
  }
  compare(first: readonly CaseRecord[], second: readonly CaseRecord[], ...args: string[]) {
    return runCommand(compare, this.run("a.jsonl", first), this.run("b.jsonl", second), ...args);
  }
  merge(...args: string[]): Promise<CommandOutcome> {
    return runCommand(merge, this.flag, ...args);
  }
}

const pass = record("own/pass");

const comparisons: [what: string, first: CaseRecord[], second: CaseRecord[], code: number][] = [
  ["the same", [pass], [pass], 0],
  ["the same failure", [record("own/fail", "fail")], [record("own/fail", "fail")], 0],
  ["another time", [pass], [{ ...pass, milliseconds: 99 }], 0],
  ["another reason of a skip", [record("own/skip", "skip", { reason: "a" })], [
    record("own/skip", "skip", { reason: "b" }),
  ], 0],
  ["another verdict", [pass], [record("own/pass", "skip")], 1],
  ["another trace of a failure", [record("own/fail", "fail")], [
    record("own/fail", "fail", { actual: "intr" }),
  ], 1],
  ["another reason of a failure", [record("own/fail", "fail")], [
    record("own/fail", "fail", { reason: "other" }),
  ], 1],
  ["a case more", [pass], [pass, record("own/spin")], 1],
  ["a case less", [pass, record("own/spin")], [pass], 1],
  ["other traces of a pass", [pass], [{ ...pass, actual: "hlt\n= rax 0x1" }], 0],
  ["nothing in common", [pass], [record("own/spin")], 3],
];

for (const [what, first, second, code] of comparisons) {
  Deno.test(`compare ends with ${code} at ${what}`, async () => {
    using files = new RunFiles();
    const outcome = await files.compare(first, second);
    assertEquals(outcome.code, code, outcome.stdout);
  });
}

Deno.test("compare prints verdicts and the diff of the traces, - of the first, + of the second", async () => {
  using files = new RunFiles();
  const { stdout } = await files.compare([
    record("own/fail", "fail", { actual: "pio out 0x10 u8 0x1\nhlt", reason: "one" }),
    pass,
    record("own/spin"),
  ], [
    record("own/fail", "timeout", { actual: "pio out 0x10 u8 0x1\ntimeout", reason: "two" }),
    pass,
  ]);
  assertEquals(
    stdout,
    `- svm-6.12  Linux 6.12.95-amd64, 3 cases
+ svm-6.12  Linux 6.12.95-amd64, 2 cases

own/fail  fail, then timeout
    - fail: one
    + timeout: two
      pio out 0x10 u8 0x1
    - hlt
    + timeout

only A has 1 cases:
    own/spin

1 of 2 cases differ
`,
  );
});

Deno.test("--strict counts other traces of a pass, which the specification leaves open", async () => {
  using files = new RunFiles();
  const other = { ...pass, actual: "hlt\n= rax 0x1" };
  const { stdout } = await files.compare([pass], [other]);
  assertStringIncludes(stdout, "0 of 1 cases differ; 1 pass in both with other traces");
  const strict = await files.compare([pass], [other], "--strict");
  assertEquals(strict.code, 1);
  assertStringIncludes(strict.stdout, "own/pass  pass in both\n      hlt\n    + = rax 0x1\n");
});

Deno.test("files of several runs are compared run by run", async () => {
  using files = new RunFiles();
  const both = (first: CaseRecord, second: CaseRecord) =>
    runText([first]) + runText([second], { backend: "vmx" });
  const a = files.write("a.jsonl", both(pass, pass));
  const b = files.write("b.jsonl", both(pass, record("own/pass", "fail")));
  const outcome = await runCommand(compare, a, b);
  assertEquals(outcome.code, 1);
  assertMatch(
    outcome.stdout,
    /- svm-6\.12 [^]*0 of 1 cases differ[^]*- vmx-6\.12 [^]*1 of 1 cases/,
  );
  const c = files.run("c.jsonl", [pass]);
  assertRefused(
    await runCommand(compare, a, c),
    3,
    /^only one of the files has a run on vmx-6\.12$/,
  );
});

Deno.test("compare reads a file that was cut off up to there, and says so", async () => {
  using files = new RunFiles();
  const a = files.run("a.jsonl", [pass, record("own/spin")]);
  const b = files.write("b.jsonl", Deno.readTextFileSync(a).slice(0, -30));
  const { code, stdout } = await runCommand(compare, a, b);
  assertEquals(code, 1);
  assertMatch(stdout, /b\.jsonl, line 3, is cut off: it was read up to there\n/);
  assertStringIncludes(stdout, "only A has 1 cases:\n    own/spin\n");
  assertStringIncludes(stdout, "0 of 1 cases differ");
});

const refused: [args: string[], code: number, message: RegExp][] = [
  [[], 2, /^two files are compared, 0 are given; see deno task compare --help$/],
  [["a", "b", "c"], 2, /^two files are compared, 3 are given/],
  [["--loose", "a", "b"], 2, /^there is no option --loose; /],
  [["/nowhere", "/dev/null"], 3, /^\/nowhere cannot be read: No such file or directory/],
  [["/dev/null", "/dev/null"], 3, /^\/dev\/null holds no run: it is empty$/],
];

for (const [args, code, message] of refused) {
  Deno.test(`compare ${args.join(" ")} is refused with ${code}`, async () => {
    assertRefused(await runCommand(compare, ...args), code, message);
  });
}

Deno.test("a malformed line is told with its file and number", async () => {
  using files = new RunFiles();
  const a = files.run("a.jsonl", [pass]);
  const b = files.write("b.jsonl", Deno.readTextFileSync(a).replace('"hlt"', '"halt"'));
  const message = /\/b\.jsonl, line 2: trace line 1, column 1: expected /;
  assertRefused(await runCommand(compare, a, b), 3, message);
  assertRefused(await files.merge(a, b), 3, message);
});

function shard(index: number, count: number): Partial<RunHeader> {
  return { shard: `${index}/${count}` };
}

Deno.test("shards are joined to the run that they are", async () => {
  using files = new RunFiles();
  const entry = { verdict: "fail", reason: "QEMU sets A", since: "2026-01-31" } as const;
  const b = files.run("2.jsonl", [
    record("own/fail", "fail", { standing: "known", known: entry }),
  ], shard(2, 2));
  const a = files.run("1.jsonl", [record("own/skip", "skip"), pass], shard(1, 2));
  const json = `${files.path}/all.jsonl`;
  const { code, stdout } = await files.merge(b, a, `--json=${json}`, `--junit=${files.path}/j.xml`);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^svm-6\.12 {2}Linux 6\.12\.95-amd64, 3 cases\n/);
  assertStringIncludes(stdout, "    QEMU sets A\n        own/fail\n");
  assertStringIncludes(stdout, "1 passed, 0 failed, 1 skipped, 1 known to fail (0.01 s)");
  const { runs, gaps } = parseRunFile(json, Deno.readTextFileSync(json));
  assertEquals([runs.length, gaps], [1, []]);
  assertEquals([runs[0].header.cases, runs[0].header.shard], [3, undefined]);
  assertEquals([...runs[0].cases.keys()], ["own/fail", "own/pass", "own/skip"]);
  assertEquals(runs[0].cases.get("own/fail")?.known, entry);
  assertStringIncludes(Deno.readTextFileSync(`${files.path}/j.xml`), "QEMU sets A");
});

Deno.test("a missing shard is said, and the run is not as expected", async () => {
  using files = new RunFiles();
  const a = files.run("1.jsonl", [pass], shard(1, 3));
  const c = files.run("3.jsonl", [record("own/spin")], shard(3, 3));
  const { code, stdout } = await files.merge(a, c);
  assertEquals(code, 3);
  assertMatch(stdout, /\n2 passed[^]*\nsvm-6\.12: shard 2\/3 is missing\n$/);
});

Deno.test("a shard that was cut off is said, and the run is not as expected", async () => {
  using files = new RunFiles();
  const a = files.run("1.jsonl", [pass, record("own/spin")], shard(1, 1));
  Deno.writeTextFileSync(a, Deno.readTextFileSync(a).slice(0, -30));
  const { code, stdout } = await files.merge(a);
  assertEquals(code, 3);
  assertMatch(stdout, /1\.jsonl: svm-6\.12 has 1 of 2 cases, its run did not end\n$/);
});

Deno.test("a case that several files have is said, and a failure is kept", async () => {
  using files = new RunFiles();
  const a = files.run("a.jsonl", [record("own/pass", "fail"), record("own/spin")]);
  const b = files.run("b.jsonl", [pass, record("own/spin", "timeout")]);
  for (const order of [[a, b], [b, a]]) {
    const { code, stdout } = await files.merge(...order);
    assertEquals(code, 1);
    assertMatch(stdout, /^svm-6\.12: in several files: own\/pass, own\/spin\n/);
    assertStringIncludes(stdout, "0 passed, 2 failed");
  }
});

Deno.test("shards of runs of different numbers do not make up one", async () => {
  using files = new RunFiles();
  const a = files.run("1.jsonl", [pass], shard(1, 2));
  const b = files.run("3.jsonl", [pass], shard(3, 3));
  assertRefused(
    await files.merge(a, b),
    3,
    /^svm-6\.12: these do not make up one run: .*1\.jsonl 1\/2, .*3\.jsonl 3\/3$/,
  );
});

Deno.test("other kernels of a series are said, other series are other runs", async () => {
  using files = new RunFiles();
  const a = files.run("a.jsonl", [pass]);
  const b = files.run("b.jsonl", [record("own/spin")], { kernel: "6.12.99" });
  const c = files.run("c.jsonl", [pass], { kernel: "6.1.2" });
  const { code, stdout } = await files.merge(a, b, c);
  assertEquals(code, 0);
  assertMatch(stdout, /^svm-6\.12 ran on several kernels: 6\.12\.95-amd64, 6\.12\.99\n/);
  assertMatch(stdout, /\nsvm-6\.12 {2}Linux [^]*\n2 passed[^]*\nsvm-6\.1 {2}Linux [^]*\n1 passed/);
});

Deno.test("a case that this suite does not have is reported without its guest", async () => {
  using files = new RunFiles();
  const { code, stdout } = await files.merge(files.run("a.jsonl", [record("else/where", "fail")]));
  assertEquals(code, 1);
  assertMatch(stdout, /\nFAIL else\/where\n {4}a fail\n/);
});

const mergeRefused: [args: string[], code: number, message: RegExp][] = [
  [[], 2, /^no file is given; see deno task merge --help$/],
  [["--shard=1/2", "a"], 2, /^there is no option --shard=1\/2; /],
  [["/nowhere"], 3, /^\/nowhere cannot be read: /],
];

for (const [args, code, message] of mergeRefused) {
  Deno.test(`merge ${args.join(" ")} is refused with ${code}`, async () => {
    using files = new RunFiles();
    assertRefused(await files.merge(...args), code, message);
  });
}

for (const [verdict, code] of [["pass", 0], ["fail", 1], ["skip", 3]] as const) {
  Deno.test(`merge ends with ${code} at a ${verdict}`, async () => {
    using files = new RunFiles();
    assertEquals(
      (await files.merge(files.run("a.jsonl", [record("own/pass", verdict)]))).code,
      code,
    );
  });
}

Deno.test("merge to a full disk is a sentence", async () => {
  using files = new RunFiles();
  const { code, stdout, message } = await files.merge(
    files.run("a.jsonl", [pass]),
    "--json=/dev/full",
  );
  assertEquals(code, 3);
  assertMatch(message, /^--json \/dev\/full: No space left on device/);
  assertStringIncludes(stdout, "1 passed");
});
