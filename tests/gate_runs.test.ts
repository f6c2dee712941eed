/** How the gate takes backends that fail on the way. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Backend } from "../src/cli/backend.ts";
import { CommandError } from "../src/cli/exit.ts";
import { type GateBackend, GateRuns } from "../src/cli/gate_runs.ts";
import type { Selection } from "../src/cli/selection.ts";
import { GateReport } from "../src/report/gate.ts";
import { resultOf } from "../src/report/json_lines.ts";
import type { Problem, Report } from "../src/report/report.ts";
import { defineCase } from "../src/suite/case.ts";
import type { CatalogueEntry } from "../src/suite/catalogue.ts";
import type { Verdict } from "../src/suite/verdict.ts";
import { Screen } from "./command.ts";
import { TemporaryFolder } from "./host.ts";
import { halt } from "./judged.ts";
import { record } from "./records.ts";

const suite = ["own/a", "own/b"].map((id): CatalogueEntry => ({
  case: defineCase({ ...halt, id }),
  file: `file:///suite/${id}.ts`,
}));

const selection: Selection = {
  suite: new Map(suite.map((entry) => [entry.case.id, entry])),
  chosen: suite,
};

/** A lab that gives verdicts, then fails if it is to. */
function backend(
  name: "svm" | "vmx",
  verdicts: readonly Verdict[],
  failure?: { readonly at: "open" | "end"; readonly code: number },
): Backend {
  const fail = (at: string) => {
    if (failure?.at === at) throw new CommandError(`${name} is gone`, failure.code);
  };
  return {
    name,
    // deno-lint-ignore require-await
    async open() {
      fail("open");
      return {
        place: { kernel: "6.12.1", backend: name, lab: true },
        async *results() {
          for (const [index, verdict] of verdicts.entries()) {
            yield resultOf(record(suite[index].case.id, verdict));
          }
          fail("end");
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    },
  };
}

interface Outcome {
  readonly code: number;
  readonly judged: string[];
  readonly problems: Problem[];
  readonly text: string;
  readonly interruption?: number;
}

async function gate(...backends: (Backend | GateBackend)[]): Promise<Outcome> {
  using folder = new TemporaryFolder();
  const screen = new Screen();
  const report = new GateReport(screen);
  const judged: string[] = [];
  const problems: Problem[] = [];
  let name = "";
  const files: Report = {
    begin: (header) => name = header.backend,
    judged: ({ result }) => judged.push(`${name} ${result.case.id}`),
    problem: (problem) => problems.push(problem),
    finish: () => {},
  };
  const runs = new GateRuns(selection, new URL(`file://${folder.path}/`), report, files);
  const interruption = await runs.runAll(
    backends.map((entry) => "backend" in entry ? entry : { backend: entry, optional: false }),
  );
  report.finish();
  return { code: runs.code, judged, problems, text: screen.text, interruption: interruption?.code };
}

const passes: readonly Verdict[] = ["pass", "pass"];

Deno.test("a backend that dies keeps what it had judged, and the next one runs", async () => {
  const { code, judged, problems, text } = await gate(
    backend("svm", ["pass"], { at: "end", code: 3 }),
    backend("vmx", passes),
  );
  assertEquals(code, 3);
  assertEquals(judged, ["svm own/a", "vmx own/a", "vmx own/b"]);
  assertEquals(problems, [{ name: "svm", message: "svm is gone", tolerated: false }]);
  assertStringIncludes(text, "svm-6.12  1 passed");
  assertStringIncludes(text, "vmx-6.12  2 passed");
  assertEquals(text.match(/svm: svm is gone/g)?.length, 2);
});

Deno.test("a backend that dies after a regression ends the gate with 1", async () => {
  const { code } = await gate(backend("svm", ["fail"], { at: "end", code: 3 }));
  assertEquals(code, 1);
});

Deno.test("a backend that ends too early has lost verdicts", async () => {
  const { code, problems } = await gate(backend("svm", ["pass"]));
  assertEquals(code, 3);
  assertEquals(problems[0].message, "1 of 2 cases were judged, the others are lost");
});

Deno.test("a backend that skips the whole suite has judged nothing, whatever the others do", async () => {
  const { code, problems } = await gate(backend("svm", passes), backend("vmx", ["skip", "skip"]));
  assertEquals(code, 3);
  assertEquals(problems[0].message, "nothing was judged: it skips every case");
});

Deno.test("an optional backend may not start, but not die on the way", async () => {
  const optional = (at: "open" | "end") => ({
    backend: backend("vmx", ["pass"], { at, code: 3 }),
    optional: true,
  });
  assertEquals((await gate(backend("svm", passes), optional("open"))).code, 0);
  assertEquals((await gate(backend("svm", passes), optional("end"))).code, 3);
  assertEquals((await gate(optional("open"))).code, 3);
});

Deno.test("an interruption ends the gate, with what was judged until then", async () => {
  const { judged, interruption, text } = await gate(
    backend("svm", ["pass"], { at: "end", code: 130 }),
    backend("vmx", passes),
  );
  assertEquals([judged, interruption], [["svm own/a"], 130]);
  assertStringIncludes(text, "svm-6.12  1 passed");
});

Deno.test("a backend that was asked for what there is not is a problem as any other", async () => {
  const { code, problems } = await gate(
    backend("svm", [], { at: "open", code: 2 }),
    backend("vmx", passes),
  );
  assertEquals([code, problems[0].message], [3, "svm is gone"]);
});

Deno.test("a backend judges the part that it is for, and is not begun where none is chosen", async () => {
  const all = { "own/a": "pass", "own/b": "pass" } as const;
  const part = (...patterns: string[]) => ({
    backend: changing(false, [all]),
    optional: false,
    patterns,
  });
  const { code, judged, text } = await gate(backend("vmx", passes), part("/b"), part("own/c"));
  assertEquals([code, judged], [0, ["vmx own/a", "vmx own/b", "svm own/b"]]);
  assertStringIncludes(text, "svm-6.12  1 passed");
});

/** An emulated CPU that gives verdicts by the case, others each time that it is opened. */
function emulator(...runs: Readonly<Record<string, Verdict>>[]): Backend {
  return changing(true, runs);
}

function changing(emulated: boolean, runs: Readonly<Record<string, Verdict>>[]): Backend {
  let run = 0;
  return {
    name: "svm",
    open(chosen) {
      const verdicts = runs[run++];
      if (verdicts === undefined) throw new CommandError("it is gone", 3);
      return Promise.resolve({
        place: { kernel: "6.12.1", backend: "svm", lab: true },
        emulated,
        async *results() {
          for (const { case: { id } } of chosen) yield resultOf(record(id, verdicts[id]));
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  };
}

Deno.test("a regression that does not come again was the emulator's, and is said", async () => {
  const { code, judged, problems, text } = await gate(
    emulator({ "own/a": "fail", "own/b": "pass" }, { "own/a": "pass" }),
  );
  assertEquals([code, judged], [0, ["svm own/b", "svm own/a"]]);
  assertEquals(problems.map(({ tolerated }) => tolerated), [true]);
  assertStringIncludes(problems[0].message, "own/a ended with fail once (");
  assertStringIncludes(problems[0].message, ") and with pass when it ran again");
  assertStringIncludes(text, "svm-6.12  2 passed");
});

Deno.test("a regression that comes again is one, and so is one that cannot be run again", async () => {
  const fails = { "own/a": "fail", "own/b": "pass" } as const;
  assertEquals((await gate(emulator(fails, { "own/a": "fail" }))).code, 1);
  const once = await gate(emulator(fails));
  assertEquals([once.code, once.judged], [1, ["svm own/b", "svm own/a"]]);
});

Deno.test("a regression of a host is none to doubt", async () => {
  const host = changing(false, [{ "own/a": "fail", "own/b": "pass" }, { "own/a": "pass" }]);
  assertEquals((await gate(host)).code, 1);
});
