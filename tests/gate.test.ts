/** `deno task gate`, mostly on runs that files record: they need no KVM. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseRunFile } from "../src/report/run_file.ts";
import type { Verdict } from "../src/suite/verdict.ts";
import { entry, GateFolder } from "./gate_folder.ts";
import { kvmTest, type Outcome, projectRoot, runDeno } from "./host.ts";
import { record, runText } from "./records.ts";

const outcomes: [
  what: string,
  verdicts: Record<string, Verdict>,
  listed: string[],
  code: number,
][] = [
  ["all passes", { pass: "pass", spin: "pass" }, [], 0],
  ["a listed failure", { pass: "pass", fail: "fail" }, ["own/fail"], 0],
  ["an unlisted failure", { pass: "pass", fail: "fail" }, [], 1],
  ["another verdict than listed", { pass: "pass", fail: "crash" }, ["own/fail"], 1],
  ["a listed pass", { pass: "pass", fail: "pass" }, ["own/fail"], 1],
  ["a listed case that is not in the suite", { pass: "pass" }, ["own/gone"], 1],
  ["a listed skip", { pass: "pass", skip: "skip" }, ["own/skip"], 0],
  ["nothing but skips", { skip: "skip", pass: "skip" }, [], 3],
  ["nothing", {}, [], 3],
];

for (const [what, verdicts, listed, code] of outcomes) {
  Deno.test(`the gate ends with ${code} at ${what}`, async () => {
    using folder = new GateFolder(
      verdicts,
      Object.fromEntries(listed.map((id) => [id, entry])),
    );
    const outcome = await folder.judge();
    assertEquals([outcome.code, outcome.message], [code, ""], outcome.stdout);
  });
}

Deno.test("what changed is printed by area, regressions with their traces, skips with reasons", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail", skip: "skip", spin: "pass" }, {
    "own/spin": entry,
    "pio/gone": entry,
  });
  const { stdout } = await folder.judge();
  assertMatch(stdout, /^svm-6\.12 {2}Linux 6\.12\.95-amd64, 4 cases\n/);
  assertMatch(stdout, /\nFAIL own\/fail {2}real mode, .*own\/fail\.ts\n {4}a fail\n/);
  assertStringIncludes(stdout, "\n    - hlt   <- the first difference\n    + shutdown\n");
  assertStringIncludes(
    stdout,
    `
1 skipped, by what is missing:
    svm-6.12: a skip
        own/skip

What changed, by area:
    own
        svm-6.12: 1 not as the baseline has it: own/fail
        svm-6.12: 1 listed, but passes: own/spin
    pio
        svm-6.12: 1 listed, but not in the suite: pio/gone

svm-6.12  2 passed, 1 failed, 1 skipped, 2 stale in the baseline (`,
  );
});

Deno.test("a pattern takes part of the record", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail" }, {});
  assertEquals((await folder.judge("own/pass")).code, 0);
  assertEquals((await folder.judge("own/fail")).code, 1);
});

Deno.test("a record that was cut off is judged as far as it goes, and is not as expected", async () => {
  using folder = new GateFolder({ pass: "pass", spin: "pass" }, {});
  folder.write("run.jsonl", folder.read("run.jsonl").slice(0, -30));
  const { code, stdout } = await folder.judge();
  assertEquals(code, 3);
  assertMatch(stdout, /run\.jsonl, line 3, is cut off: it was read up to there/);
  assertStringIncludes(stdout, "1 passed, 0 failed, 0 skipped");
});

Deno.test("the project's own configuration is one: ten labs, and two lenses on three backends", async () => {
  const { readGateConfig } = await import("../src/cli/gate_config.ts");
  const entries = readGateConfig(undefined);
  assertEquals(entries.filter(({ onRequest }) => !onRequest).map(({ name }) => name), [
    "host",
    "svm-6.12",
    "vmx-6.12",
    "svm-6.12-npt=0",
    "vmx-6.12-ept=0",
    "vmx-6.12-unrestricted_guest=0",
  ]);
  const labs = entries.filter(({ backend }) => backend !== "host");
  assertEquals(labs.filter(({ lens }) => lens === undefined).length, 10);
  assertEquals(entries.filter(({ lens }) => lens !== undefined).length, 6);
});

Deno.test("--only takes a name, a backend, or a name with *", async () => {
  const { chooseBackends } = await import("../src/cli/gate_config.ts");
  const entries = ["host", "svm-6.1", "svm-6.12", "svm-6.12-npt=0", "vmx-6.12"]
    .map((name) => ({ name }));
  const chosen = (...only: string[]) =>
    chooseBackends(entries, only, () => false).map(({ name }) => name);
  assertEquals(chosen("svm"), ["svm-6.1", "svm-6.12", "svm-6.12-npt=0"]);
  assertEquals(chosen("svm-6.1"), ["svm-6.1"]);
  assertEquals(chosen("svm-6.12"), ["svm-6.12"]);
  assertEquals(chosen("*-6.12", "host"), ["host", "svm-6.12", "svm-6.12-npt=0", "vmx-6.12"]);
  assertEquals(chosen("svm-6.12-npt=0"), ["svm-6.12-npt=0"]);
});

for (const option of ["json", "junit", "tap"]) {
  Deno.test(`a full disk under --${option} is a sentence, and the run is judged all the same`, async () => {
    using folder = new GateFolder({ pass: "pass", spin: "pass" }, {});
    const other = `${folder.path}/other`;
    const rest = option === "tap" ? "--json" : "--tap";
    const { code, stdout, message } = await folder.judge(`--${option}=/dev/full`, rest, other);
    assertEquals(code, 3);
    assertMatch(message, new RegExp(`^--${option} /dev/full: No space left on device.*before$`));
    assertStringIncludes(stdout, "2 passed, 0 failed, 0 skipped");
    assertMatch(Deno.readTextFileSync(other), /own\/spin/);
  });
}

const mounts = await new Deno.Command("unshare", { args: ["-m", "true"], stderr: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "a disk that fills up keeps what came before" + (mounts ? "" : " (needs CAP_SYS_ADMIN)"),
  ignore: !mounts,
  fn: async () => {
    using folder = new GateFolder({}, {});
    const cases = ["pass", "fail", "skip", "spin"]
      .map((name) => record(`own/${name}`, "pass", { reason: "x".repeat(1500) }));
    folder.write("run.jsonl", runText(cases));
    const { path } = folder;
    Deno.mkdirSync(`${path}/disk`);
    const script = `mount -t tmpfs -o size=4k none ${path}/disk
      "$@" --json ${path}/disk/run.jsonl; code=$?
      cp ${path}/disk/run.jsonl ${path}/kept.jsonl; exit $code`;
    const main = new URL("src/cli/main.ts", projectRoot).pathname;
    const args = ["run", "--allow-all", "--no-check", main, "gate", `--from=${path}/run.jsonl`];
    const { code, stderr } = await runDeno(
      [...args, folder.flag, `--baselines=${path}/baselines`],
      { under: ["unshare", "-m", "sh", "-c", script, "sh"] },
    );
    assertEquals(code, 3);
    assertMatch(stderr, /^--json .*\/disk\/run\.jsonl: No space left on device.*\n$/);
    const { runs, gaps } = parseRunFile("kept", folder.read("kept.jsonl"));
    assertEquals([...runs[0].cases.keys()], ["own/fail", "own/pass"]);
    assertEquals(gaps[0], "kept, line 4, is cut off: it was read up to there");
  },
});

Deno.test("a full disk does not hide a regression", async () => {
  using folder = new GateFolder({ fail: "fail" }, {});
  assertEquals((await folder.judge("--json=/dev/full")).code, 1);
});

/** Runs the gate where no command of the system is found. */
function gateWithoutTools(folder: GateFolder, ...args: string[]): Promise<Outcome> {
  const { path } = folder;
  const main = new URL("src/cli/main.ts", projectRoot).pathname;
  const own = [folder.flag, `--config=${path}/gate.json`, `--baselines=${path}/baselines`];
  return runDeno(
    ["run", "--allow-all", "--no-check", main, "gate", ...own, "own/pass", ...args],
    { under: ["env", "PATH=/nowhere"] },
  );
}

Deno.test("a backend that cannot run is told with its cause, and ends the gate with 3", async () => {
  using folder = new GateFolder({});
  folder.config({ backends: [{ backend: "svm", kernel: "6.12" }] });
  const { code, stdout } = await gateWithoutTools(folder, `--junit=${folder.path}/j.xml`);
  assertEquals(code, 3);
  assertMatch(stdout, /^svm-6\.12: this lab needs qemu-system-x86_64, .*: apt-get install qemu-/);
  assertMatch(
    folder.read("j.xml"),
    /<testcase [^>]*name="svm-6\.12"[^>]*><error message="this lab/,
  );
});

kvmTest("a backend judges its own part of the suite, unless it is named", async () => {
  using folder = new GateFolder({});
  folder.config({ backends: [{ backend: "host", cases: ["own/pass"] }] });
  assertMatch((await folder.gate()).stdout, /^host-\S+ {2}1 passed, 0 failed, 0 skipped/m);
  assertMatch(
    (await folder.gate("--only=host")).stdout,
    /^host-\S+ {2}1 passed, 2 failed, 1 skipped/m,
  );
});

kvmTest("an optional backend may be missing, unless it is named", async () => {
  using folder = new GateFolder({});
  const svm = { backend: "svm", kernel: "6.12", optional: true };
  folder.config({ backends: [svm, { backend: "host" }] });
  const { code, stdout } = await gateWithoutTools(folder);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^svm-6\.12: this lab needs [^]*\(optional\)\n/);
  folder.config({ backends: [{ ...svm, optional: false }, { backend: "host" }] });
  assertEquals((await gateWithoutTools(folder)).code, 3);
  folder.config({ backends: [svm, { backend: "host" }] });
  assertEquals((await gateWithoutTools(folder, "--only=svm", "--only=host")).code, 3);
});

Deno.test("an optional backend alone that is missing leaves nothing judged", async () => {
  using folder = new GateFolder({});
  folder.config({ backends: [{ backend: "svm", kernel: "6.12", optional: true }] });
  assertEquals((await gateWithoutTools(folder)).code, 3);
});

kvmTest("this host is judged beside its own baseline", async () => {
  using folder = new GateFolder({});
  const json = `${folder.path}/host.jsonl`;
  const { code, stdout } = await folder.gate("own/pass", "own/fail", "--json", json);
  assertEquals(code, 1, stdout);
  const [{ header }] = parseRunFile(json, Deno.readTextFileSync(json)).runs;
  assertEquals([header.kernel, header.lab], [Deno.osRelease(), undefined]);
  assertEquals((await folder.gate("own/pass", "own/fail", "--update", "--reason=mine")).code, 0);
  assertEquals((await folder.gate("own/pass", "own/fail")).code, 0);
});

Deno.test("on GitHub the step has annotations and a summary", async () => {
  using folder = new GateFolder({ fail: "fail" }, {});
  const summary = folder.write("summary.md", "before\n");
  const { path } = folder;
  const args = [`--from=${path}/run.jsonl`, folder.flag, `--baselines=${path}/baselines`];
  const main = new URL("src/cli/main.ts", projectRoot).pathname;
  const { code, stdout } = await runDeno(
    ["run", "--allow-all", "--no-check", main, "gate", ...args],
    { under: ["env", "GITHUB_ACTIONS=true", `GITHUB_STEP_SUMMARY=${summary}`] },
  );
  assertEquals(code, 1);
  assertMatch(
    stdout,
    /\n::error file=.*\/own\/fail\.ts,line=\d+,title=svm-6\.12%3A fail own\/fail::FAIL/,
  );
  assertMatch(Deno.readTextFileSync(summary), /^before\n## Trapline\n/);
});
