import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ConsoleReport, type Output } from "../src/report/console.ts";
import { formatFailure } from "../src/report/failure.ts";
import { exitCode, type Reported } from "../src/report/report.ts";
import { colorStyle, plainStyle } from "../src/report/style.ts";
import type { KnownFailure, Standing } from "../src/suite/baseline.ts";
import { type CaseDefinition, defineCase } from "../src/suite/case.ts";
import type { CaseResult, Verdict } from "../src/suite/verdict.ts";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { compare } from "../src/trace/script.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { kvmTest } from "./host.ts";
import { run } from "./judged.ts";

const definition: CaseDefinition = {
  id: "pio/out",
  spec: ["SDM 2B: OUT", "KVM API 5"],
  mode: "real",
  guest: asm`hlt`,
  trace: "hlt",
};

function result(verdict: Verdict, changes: Partial<CaseResult> = {}): CaseResult {
  return {
    case: defineCase(definition),
    verdict,
    expected: parse("hlt"),
    trace: parseRecorded("hlt"),
    milliseconds: 1.23456,
    ...changes,
  };
}

function reported(
  id: string,
  verdict: Verdict,
  standing: Standing,
  reason?: string,
  known?: KnownFailure,
): Reported {
  const named = defineCase({ ...definition, id });
  return { result: result(verdict, { case: named, reason }), standing, known, file: "pio/out.ts" };
}

class Screen implements Output {
  text = "";
  constructor(readonly isTerminal = false, readonly columns = 80, readonly color = false) {}
  write(text: string): void {
    this.text += text;
  }
}

function show(all: Reported[], screen: Screen = new Screen()): string {
  const report = new ConsoleReport(screen, all.length);
  for (const entry of all) {
    report.begin(entry.result.case.id);
    report.end(entry);
  }
  report.finish();
  return screen.text;
}

const known: KnownFailure = { verdict: "fail", reason: "no paging", since: "2026-01-31" };

Deno.test("a run where all passes is one line", () => {
  const text = show([reported("a/b", "pass", "expected"), reported("a/c", "pass", "expected")]);
  assertMatch(text, /^2 passed, 0 failed, 0 skipped \(\d+\.\d\d s\)\n$/);
});

Deno.test("known failures, stale entries and skips are grouped by reason, then counted", () => {
  const text = show([
    reported("a/pass", "pass", "expected"),
    reported("a/known", "fail", "known", "differs", known),
    reported("a/also", "fail", "known", "differs", known),
    reported("a/stale", "pass", "stale", undefined, known),
    reported("a/skip", "skip", "expected", "CPUID LM"),
  ]);
  assertMatch(
    text,
    new RegExp(`^2 known failures of this host, by reason:
    no paging
        a/also, a/known

STALE these pass, but the baseline lists them as failures:
    a/stale

1 skipped, by what is missing:
    CPUID LM
        a/skip

2 passed, 0 failed, 1 skipped, 2 known to fail, 1 stale in the baseline \\(.* s\\)
$`),
  );
});

Deno.test("a group shows six ids and counts the rest", () => {
  const text = show(
    Array.from({ length: 8 }, (_, n) => reported(`a/s${n}`, "skip", "expected", "CPUID LM")),
  );
  assertStringIncludes(text, "        a/s0, a/s1, a/s2, a/s3, a/s4, a/s5 and 2 more\n");
});

Deno.test("a regression comes first, with what the baseline knows otherwise", () => {
  const text = show([
    reported("a/pass", "pass", "expected"),
    reported("a/other", "timeout", "regression", "it ran away", known),
  ]);
  assertMatch(text, /^TIMEOUT a\/other {2}real mode, pio\/out\.ts\n {4}it ran away\n/);
  assertStringIncludes(text, "\n    the baseline knows it as fail: no paging\n");
  assertMatch(text, /\n1 passed, 1 failed, 0 skipped \(/);
});

Deno.test("a terminal has a live line within its columns, and none is left at the end", () => {
  const screen = new Screen(true, 12);
  const text = show([reported("area/a-rather-long-name", "pass", "expected")], screen);
  const [, live, end] = text.split("\r\x1b[K");
  assertEquals(live, "0/1 area/a-");
  assertMatch(end, /^1 passed/);
});

Deno.test("a pipe gets no control characters", () => {
  const text = show([reported("a/b", "fail", "regression", "differs")]);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x09\x0b-\x1f]/.test(text), false);
});

Deno.test("colours are where the output has them", () => {
  const text = show([reported("a/b", "fail", "regression")], new Screen(true, 80, true));
  assertStringIncludes(text, "\x1b[31mFAIL\x1b[0m \x1b[1ma/b\x1b[0m");
  assertStringIncludes(text, "\x1b[31m0 passed, 1 failed");
  assertStringIncludes(
    show([reported("a/b", "pass", "expected")], new Screen(true, 80, true)),
    "\x1b[32m1 passed",
  );
});

const codes: [code: number, all: [Verdict, Standing][]][] = [
  [3, []],
  [3, [["skip", "expected"]]],
  [0, [["pass", "expected"]]],
  [0, [["pass", "expected"], ["skip", "expected"]]],
  [0, [["fail", "known"]]],
  [1, [["pass", "expected"], ["fail", "regression"]]],
  [1, [["skip", "expected"], ["error", "regression"]]],
  [1, [["pass", "stale"]]],
];

for (const [code, all] of codes) {
  const what = all.map(([verdict, standing]) => `${standing} ${verdict}`).join(", ") || "no case";
  Deno.test(`the exit code of ${what} is ${code}`, () => {
    const run = all.map(([verdict, standing]) => reported("a/b", verdict, standing));
    assertEquals(exitCode(run), code);
  });
}

Deno.test("a failure has its diff, with the first difference marked", () => {
  const expected = parse("pio out 0x10 u8 0x1\nhlt");
  const trace = parseRecorded("pio out 0x10 u8 0x2\nhlt");
  const comparison = compare(expected, trace);
  const divergence = comparison.ok ? undefined : comparison.divergence;
  const failed = result("fail", { expected, trace, divergence, reason: "they differ" });
  assertEquals(
    formatFailure(failed, plainStyle, "pio/out.ts"),
    `FAIL pio/out  real mode, pio/out.ts
    they differ
    promised by SDM 2B: OUT; KVM API 5
    - pio out 0x10 u8 0x1   <- the first difference
    + pio out 0x10 u8 0x2
      hlt`,
  );
  const colored = formatFailure(failed, colorStyle);
  assertStringIncludes(colored, "\x1b[32m- pio out 0x10 u8 0x1   <- the first difference\x1b[0m");
  assertStringIncludes(colored, "\x1b[31m+ pio out 0x10 u8 0x2\x1b[0m");
});

Deno.test("an error shows its whole reason, indented", () => {
  const text = formatFailure(result("error", { reason: "Oops: one\n    at two" }), plainStyle);
  assertStringIncludes(text, "ERROR pio/out  real mode\n    Oops: one\n        at two\n");
});

kvmTest("a failure has where the guest stood: listing, registers, segments", async () => {
  const failed = await run({
    mode: "protected",
    guest: asm`mov eax, 0x1234
      out 0x10, al
      hlt`,
    trace: "hlt",
  });
  const text = formatFailure(failed, plainStyle, "guest.ts");
  assertMatch(text, /the guest at CS:RIP 0x8:0x800[57], 32-bit code\n/);
  assertMatch(text, /\n {6}8000 {2}b8 34 12 00 00 +mov eax, 0x1234 +; 1: mov eax, 0x1234\n/);
  assertMatch(text, /\n {4}> 800[57] /);
  assertMatch(text, /\n +rax=0x1234 +rbx=0x0 /);
  assertMatch(text, /\n +cs 0x8 +base=0x0 limit=0xffffffff type=0xb dpl=0 p=1 db=1 l=0\n/);
  assertMatch(text, /\n +cr0=0x[0-9a-f]+ cr2=0x0 cr3=0x0 cr4=0x0 efer=0x0$/);
});
