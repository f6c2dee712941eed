/** `deno task gate`, mostly on runs that files record: they need no KVM. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { gate } from "../src/cli/gate.ts";
import { parseRunFile } from "../src/report/run_file.ts";
import type { Verdict } from "../src/suite/verdict.ts";
import { Guests } from "./case_files.ts";
import { assertRefused, type CommandOutcome, runCommand } from "./command.ts";
import { kvmTest, type Outcome, projectRoot, runDeno } from "./host.ts";
import { record, runText } from "./records.ts";

const entry = { verdict: "fail", reason: "QEMU sets A", since: "2026-01-31" };

/** A suite of four cases, a recorded run of it, a configuration and a folder of baselines. */
class GateFolder extends Guests {
  constructor(verdicts: Record<string, Verdict>, baseline?: Record<string, unknown>) {
    super("pass", "fail", "skip", "spin");
    const cases = Object.entries(verdicts).map(([name, verdict]) => record(`own/${name}`, verdict));
    this.write("run.jsonl", runText(cases));
    this.write("baselines/vmx-6.12.json", "{}\n");
    if (baseline !== undefined) this.baseline = baseline;
    this.config({ backends: [{ backend: "host" }] });
  }
  set baseline(entries: Record<string, unknown> | string) {
    const text = typeof entries === "string" ? entries : JSON.stringify(entries, null, 2) + "\n";
    this.write("baselines/svm-6.12.json", text);
  }
  config(value: unknown): void {
    this.write("gate.json", typeof value === "string" ? value : JSON.stringify(value));
  }
  read(name: string): string {
    return Deno.readTextFileSync(`${this.path}/${name}`);
  }
  get written(): unknown {
    return JSON.parse(this.read("baselines/svm-6.12.json"));
  }
  gate(...args: string[]): Promise<CommandOutcome> {
    const { path } = this;
    const own = [this.flag, `--config=${path}/gate.json`, `--baselines=${path}/baselines`];
    return runCommand(gate, ...own, `--durations=${path}/durations.json`, ...args);
  }
  judge(...args: string[]): Promise<CommandOutcome> {
    return this.gate(`--from=${this.path}/run.jsonl`, ...args);
  }
}

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

Deno.test("an update keeps reasons and dates, drops what passes, adds with a reason", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail", spin: "timeout" }, {
    "own/fail": entry,
    "own/pass": entry,
    "own/gone": entry,
    "own/skip": entry,
  });
  const { code, stdout } = await folder.judge("--update", "--reason", "it spins");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "svm-6.12.json: 2 kept, 1 added, 2 removed\n");
  const since = new Date().toISOString().slice(0, 10);
  assertEquals(folder.written, {
    "own/fail": entry,
    "own/skip": entry,
    "own/spin": { verdict: "timeout", reason: "it spins", since },
  });
  assertEquals((await folder.judge()).code, 0);
});

Deno.test("an update without reasons names the failures that want one, and writes nothing", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail", spin: "timeout" }, {
    "own/pass": entry,
  });
  const before = folder.read("baselines/svm-6.12.json");
  const { code, message } = await folder.judge("--update");
  assertEquals(code, 2);
  assertEquals(message.split("\n"), [
    "no baseline was written: 2 new failures want a reason (--reason)",
    "    svm-6.12.json: fail own/fail: a fail",
    "    svm-6.12.json: timeout own/spin: a timeout",
  ]);
  assertEquals(folder.read("baselines/svm-6.12.json"), before);
});

Deno.test("reasons may come from another baseline, for the same case and verdict", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail", spin: "timeout" }, {});
  const other = folder.write(
    "other.json",
    JSON.stringify({ "own/fail": entry, "own/spin": entry }),
  );
  const { code, message } = await folder.judge("--update", "--reasons", other);
  assertEquals([code, message.split("\n").length], [2, 2]);
  assertMatch(message, /timeout own\/spin/);
  assertEquals((await folder.judge("--update", "--reasons", other, "--reason=it spins")).code, 0);
  const written = folder.written as Record<string, { reason: string }>;
  assertEquals([written["own/fail"].reason, written["own/spin"].reason], [
    "QEMU sets A",
    "it spins",
  ]);
});

Deno.test("an update of a part leaves the rest of a baseline alone", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail" }, {
    "own/pass": entry,
    "own/spin": entry,
  });
  assertEquals((await folder.judge("own/pass", "--update")).code, 0);
  assertEquals(folder.written, { "own/spin": entry });
});

Deno.test("a baseline that does not exist yet is written with the run's name", async () => {
  using folder = new GateFolder({ pass: "pass", fail: "fail" });
  assertEquals((await folder.judge()).code, 1);
  assertEquals((await folder.judge("--update", "--reason=new")).code, 0);
  assertEquals(Object.keys(folder.written as object), ["own/fail"]);
});

Deno.test("an update of what did not run to its end does not end with 0", async () => {
  using folder = new GateFolder({ pass: "pass", spin: "pass" }, {});
  folder.write("run.jsonl", folder.read("run.jsonl").slice(0, -30));
  assertEquals((await folder.judge("--update")).code, 3);
});

Deno.test("durations are written for what takes long, and used by shards", async () => {
  using folder = new GateFolder({});
  const cases = [["pass", 2], ["fail", 2], ["skip", 2], ["spin", 90]] as const;
  folder.write(
    "run.jsonl",
    runText(cases.map(([name, milliseconds]) => record(`own/${name}`, "pass", { milliseconds }))),
  );
  assertEquals((await folder.judge("--update-durations")).code, 0);
  assertEquals(JSON.parse(folder.read("durations.json")), { "own/spin": 45 });
  const shards = ["1/2", "2/2"].map(async (shard) => {
    const json = `${folder.path}/${shard.replace("/", "-")}.jsonl`;
    assertEquals((await folder.judge("--shard", shard, "--json", json)).code, 0);
    const [{ header, cases }] = parseRunFile(json, Deno.readTextFileSync(json)).runs;
    assertEquals([header.shard, header.cases], [shard, cases.size]);
    return [...cases.keys()];
  });
  assertEquals(await Promise.all(shards), [["own/spin"], ["own/fail", "own/pass", "own/skip"]]);
});

const wrongUsage: [args: string[], message: RegExp][] = [
  [["--nonsense"], /^there is no option --nonsense; see deno task gate --help$/],
  [["--reason"], /^--reason takes one value; /],
  [["--reason= ", "--update"], /^--reason is blank; /],
  [["--only="], /^--only takes one value; /],
  [["--only=svn"], /^--only svn: there is host; /],
  [["--shard=0/2"], /^--shard 0\/2 is not a part as 1\/4 or 4\/4; /],
  [["--shard=3/2"], /^--shard 3\/2 is not/],
  [["--shard=2"], /^--shard 2 is not/],
  [["--shard=1/1000000000"], /^--shard 1\/1000000000 is not/],
  [["no-such-case"], /^no case matches no-such-case: /],
];

for (const [args, message] of wrongUsage) {
  Deno.test(`gate ${args.join(" ")} is wrong usage, in a sentence`, async () => {
    using folder = new GateFolder({ pass: "pass" }, {});
    const outcome =
      await (args.includes("--update") ? folder.judge(...args) : folder.gate(...args));
    assertEquals(outcome.code, 2);
    assertMatch(outcome.message, message);
  });
}

const damagedConfigs: [config: unknown, message: RegExp][] = [
  ["{", /^gate\.json: it is not JSON: /],
  [[], /^gate\.json: `backends` is not a list$/],
  ["null", /^gate\.json: `backends` is not a list$/],
  [{ backends: [1] }, /^gate\.json: backend 1: it is not an object$/],
  [
    { backends: [{ backend: "kvm" }] },
    /backend 1: `backend` is "kvm", not "host", "svm" or "vmx"$/,
  ],
  [{ backends: [{ backend: "svm" }] }, /`kernel` is undefined, not a series as "6\.12"$/],
  [{ backends: [{ backend: "svm", kernel: "6.12.1" }] }, /`kernel` is "6\.12\.1", not a series/],
  [{ backends: [{ backend: "svm", kernel: "6.1", params: "npt=0" }] }, /`params` is not a list/],
  [{ backends: [{ backend: "svm", kernel: "6.1", params: ["-x"] }] }, /`params` is not a list/],
  [{ backends: [{ backend: "host", kernel: "6.1" }] }, /only labs take `kernel` and `params`$/],
  [{ backends: [{ backend: "host", optional: 1 }] }, /`optional` is not true or false$/],
  [{ backends: [{ backend: "host", lens: "x" }] }, /`lens` is "x", not restore or sync-regs$/],
  [{ backends: [{ backend: "host", only: true }] }, /nothing is called only here$/],
  [{ backends: [{ backend: "host" }, { backend: "host" }] }, /^gate\.json: host is there twice$/],
];

for (const [config, message] of damagedConfigs) {
  Deno.test(`a configuration ${JSON.stringify(config)} is refused`, async () => {
    using folder = new GateFolder({});
    folder.config(config);
    assertRefused(await folder.gate(), 3, message);
  });
}

Deno.test("the project's own configuration is one: ten labs, and two lenses on three backends", async () => {
  const { readGateConfig } = await import("../src/cli/gate_config.ts");
  const entries = readGateConfig(undefined);
  assertEquals(entries.filter(({ onRequest }) => !onRequest).map(({ name }) => name), [
    "host",
    "svm-6.12",
    "vmx-6.12",
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

const unreadable: [what: string, args: string[], message: RegExp][] = [
  ["a run that is not there", ["--from=/nowhere"], /^\/nowhere cannot be read: No such file/],
  ["a run that is a folder", ["--from=/"], /^\/ cannot be read: /],
  ["a configuration that is not there", ["--config=/nowhere"], /^nowhere: it cannot be read: /],
  [
    "durations that are not there",
    ["--shard=1/2", "--durations=/nowhere"],
    /^the durations cannot/,
  ],
  ["a folder of cases that is not there", ["--guests=/nowhere"], /^the folder of cases cannot be/],
  [
    "a file that cannot be opened",
    ["--junit=/nowhere/j.xml"],
    /^--junit \/nowhere\/j\.xml: No such/,
  ],
];

for (const [what, args, message] of unreadable) {
  Deno.test(`${what} is a sentence`, async () => {
    using folder = new GateFolder({ pass: "pass" }, {});
    assertRefused(await folder.gate(...args), 3, message);
  });
}

Deno.test("a damaged baseline is a sentence, and what can be judged is", async () => {
  using folder = new GateFolder({ pass: "pass" });
  folder.write(
    "run.jsonl",
    folder.read("run.jsonl") + runText([record("own/pass")], { backend: "vmx" }),
  );
  folder.baseline = `{ "own/pass": { "verdict": "pass" } }`;
  const { code, stdout } = await folder.judge();
  assertEquals(code, 3);
  assertStringIncludes(
    stdout,
    'svm-6.12: baseline svm-6.12.json, case own/pass: the verdict is "pass"',
  );
  assertStringIncludes(stdout, "vmx-6.12  1 passed");
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

Deno.test("--help tells every option and exit code", async () => {
  const { code, stdout } = await runCommand(gate, "--help");
  assertEquals(code, 0);
  for (const option of ["--only", "--from", "--update", "--reason", "--shard", "--junit"]) {
    assertStringIncludes(stdout, option);
  }
  assertMatch(stdout, /Exit code: 0 .* 1 .* 2 [^]*3 /);
});
