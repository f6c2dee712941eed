/** The command line, as a child process. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { caseFile, files, Guests } from "./case_files.ts";
import { kvmTest, type Outcome, projectRoot, runDeno, TemporaryFolder } from "./host.ts";

const main = new URL("src/cli/main.ts", projectRoot).pathname;

function conform(args: readonly string[], under: readonly string[] = []): Promise<Outcome> {
  return runDeno(["run", "--allow-all", "--no-check", main, "conform", ...args], { under });
}

function assertSentence(outcome: Outcome, code: number, message: RegExp): void {
  assertMatch(outcome.stderr, message);
  assertEquals(outcome.stderr.trimEnd().split("\n").length, 1, outcome.stderr);
  assertEquals([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
}

const wrongUsage: [args: string[], message: RegExp][] = [
  [["--nonsense"], /^there is no option --nonsense; see deno task conform --help\n/],
  [["-x"], /^there is no option -x; /],
  [["--timeout", "soon"], /^--timeout soon is not a number of milliseconds above 0; /],
  [["--timeout=-1"], /^--timeout -1 is not/],
  [["--timeout=0"], /^--timeout 0 is not/],
  [["--jobs=0"], /^--jobs 0 is not a number from 1 to 64; /],
  [["--json"], /^--json takes one value; /],
  [["--junit="], /^--junit takes one value; /],
  [["--shard=2/1"], /^--shard 2\/1 is not a part as 1\/4 or 4\/4; /],
  [["--guests="], /^--guests takes one value; /],
  [["no-such-case"], /^no case matches no-such-case: deno task conform --list prints them all\n$/],
];

for (const [args, message] of wrongUsage) {
  Deno.test(`conform ${args.join(" ")} is wrong usage, in a sentence`, async () => {
    using guests = new Guests("pass");
    const own = args.some((arg) => arg.startsWith("--guests")) ? [] : [guests.flag];
    assertSentence(await conform([...own, ...args]), 2, message);
  });
}

Deno.test("a command that is not there is wrong usage", async () => {
  const outcome = await runDeno(["run", "--allow-all", "--no-check", main, "confrom"]);
  assertSentence(outcome, 2, /^there is no command confrom: there is .*conform/);
});

Deno.test("--help tells every option and exit code, and runs nothing", async () => {
  const { code, stdout } = await conform(["--help"]);
  assertEquals(code, 0);
  for (
    const option of [
      "--list",
      "--json",
      "--junit",
      "--tap",
      "--shard",
      "--jobs",
      "--timeout",
      "--baseline",
      "--no-baseline",
      "--guests",
    ]
  ) {
    assertStringIncludes(stdout, option);
  }
  assertMatch(stdout, /Exit code: 0 .* 1 .* 2 [^]*3 /);
});

Deno.test("--list prints the ids that would run", async () => {
  using guests = new Guests("spin", "pass", "fail");
  const listed = async (...args: string[]) =>
    (await conform([guests.flag, "--list", ...args])).stdout;
  assertEquals(await listed(), "own/fail\nown/pass\nown/spin\n");
  assertEquals(await listed("pa", "*/spin"), "own/pass\nown/spin\n");
});

Deno.test("shards list every case once", async () => {
  const whole = (await conform(["--list", "interrupt/"])).stdout.trimEnd().split("\n");
  const parts: string[] = [];
  for (const shard of ["1/3", "2/3", "3/3"]) {
    const { code, stdout } = await conform(["--list", "interrupt/", "--shard", shard]);
    assertEquals(code, 0);
    const ids = stdout.trimEnd().split("\n");
    assert(ids.length < whole.length / 2, `${ids.length} of ${whole.length}`);
    parts.push(...ids);
  }
  assertEquals(parts.toSorted(), whole);
});

Deno.test("a folder that is none, or a file that is no case, can run nothing", async () => {
  using guests = new Guests("pass");
  assertSentence(await conform(["--guests=/nowhere"]), 3, /^the folder of cases cannot be read: /);
  guests.write("guests/own/other.ts", caseFile("own/wrong", files.pass));
  assertSentence(
    await conform([guests.flag]),
    3,
    /^own\/other\.ts defines own\/wrong: path and id/,
  );
});

kvmTest("a run of every verdict ends with 1, tells all of it, and has its JSON lines", async () => {
  using guests = new Guests("pass", "fail", "skip", "spin");
  const json = `${guests.path}/run.jsonl`;
  const { code, stdout, stderr } = await conform([
    guests.flag,
    "--no-baseline",
    "--timeout=400",
    `--json=${json}`,
  ]);
  assertEquals([code, stderr], [1, ""]);
  assertMatch(
    stdout,
    /^FAIL own\/fail {2}real mode, .*\/own\/fail\.ts\n {4}expected `hlt`, got `pio out 0x10 u8 0x41`\n/,
  );
  assertStringIncludes(stdout, "\n    + pio out 0x10 u8 0x41   <- the first difference\n");
  assertMatch(stdout, /the guest at CS:RIP 0x0:0x800\d, 16-bit code\n/);
  assertMatch(stdout, /\n +8000 {2}b0 41 +mov al, 0x41 +; 1: mov al, 0x41\n/);
  assertMatch(stdout, /\n {4}> 800\d /);
  assertMatch(stdout, /\n +rax=0x41 /);
  assertMatch(stdout, /\nTIMEOUT own\/spin /);
  assertMatch(stdout, /1 skipped, by what is missing:\n {4}KVM_CAP_MAX_VCPUS of at least 1000000/);
  assertMatch(stdout, /\n1 passed, 2 failed, 1 skipped \(\d+\.\d\d s\)\n$/);
  const [header, ...records] = Deno.readTextFileSync(json).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals([header.kind, header.cases, header.kernel], ["run", 4, Deno.osRelease()]);
  assertEquals(records.map(({ id, verdict, standing }) => [id, verdict, standing]), [
    ["own/fail", "fail", "regression"],
    ["own/pass", "pass", "expected"],
    ["own/skip", "skip", "expected"],
    ["own/spin", "timeout", "regression"],
  ]);
  assertEquals(records[0].actual, "pio out 0x10 u8 0x41\nhlt\n= rax 0x41");
});

kvmTest("each JSON line is there as soon as its case is judged", async () => {
  using guests = new Guests("pass");
  // The second case reads the file that the run is writing.
  const json = `${guests.path}/run.jsonl`;
  guests.write(
    "guests/own/reads.ts",
    caseFile(
      "own/reads",
      `guest: asm\`hlt\`, trace: 'hlt', drive: ({ assertEquals }) => assertEquals("lines",
        Deno.readTextFileSync(${JSON.stringify(json)}).split("\\n").length, 3)`,
    ),
  );
  const { code, stdout } = await conform([guests.flag, "--no-baseline", `--json=${json}`]);
  assertEquals(code, 0, stdout);
});

kvmTest("a run that only skips has judged nothing", async () => {
  using guests = new Guests("skip");
  const { code, stdout } = await conform([guests.flag, "--no-baseline"]);
  assertEquals(code, 3);
  assertMatch(stdout, /0 passed, 0 failed, 1 skipped/);
});

kvmTest("a JSON path that cannot be written is a sentence", async () => {
  using guests = new Guests("pass");
  const outcome = await conform([guests.flag, "--no-baseline", "--json=/nowhere/run.jsonl"]);
  assertSentence(outcome, 3, /^--json \/nowhere\/run\.jsonl: No such file or directory/);
});

kvmTest("a full disk is a sentence after the report, and the other files are whole", async () => {
  using guests = new Guests("pass");
  const tap = `${guests.path}/run.tap`;
  const { code, stdout, stderr } = await conform([
    guests.flag,
    "--no-baseline",
    "--json=/dev/full",
    `--tap=${tap}`,
  ]);
  assertEquals(code, 3);
  assertMatch(stdout, /^1 passed, 0 failed, 0 skipped/);
  assertMatch(
    stderr,
    /^--json \/dev\/full: No space left on device.*; it holds what came before\n$/,
  );
  assertMatch(Deno.readTextFileSync(tap), /\nok 1 - host-\S+ own\/pass\n1\.\.1\n$/);
});

kvmTest("a listed failure is as expected, a stale entry is not", async () => {
  using guests = new Guests("pass", "fail");
  const entry = { verdict: "fail", reason: "on purpose", since: "2026-01-31" };
  const baseline = (ids: string[]) =>
    `--baseline=${
      guests.write("host.json", JSON.stringify(Object.fromEntries(ids.map((id) => [id, entry]))))
    }`;
  const expected = await conform([guests.flag, baseline(["own/fail"])]);
  assertEquals(expected.code, 0, expected.stdout);
  assertMatch(expected.stdout, /1 known failures of this host, by reason:\n {4}on purpose\n/);
  const stale = await conform([guests.flag, baseline(["own/fail", "own/pass"])]);
  assertEquals(stale.code, 1);
  assertMatch(stale.stdout, /STALE .*\n {4}own\/pass\n/);
});

kvmTest("a baseline that is damaged or not there can run nothing", async () => {
  using guests = new Guests("pass");
  const damaged = guests.write("host.json", `{ "own/pass": { "verdict": "pass" } }`);
  assertSentence(
    await conform([guests.flag, `--baseline=${damaged}`]),
    3,
    /^baseline host\.json, case own\/pass: the verdict is "pass", not fail/,
  );
  assertSentence(
    await conform([guests.flag, "--baseline=/nowhere.json"]),
    3,
    /^the baseline cannot be read: No such file or directory/,
  );
});

kvmTest("whoever reads the report may have enough of it", async () => {
  using guests = new Guests("fail");
  const command = `"$@" | true`;
  const { code, stderr } = await conform([guests.flag, "--no-baseline"], [
    "sh",
    "-c",
    command,
    "sh",
  ]);
  assertEquals([code, stderr], [0, ""]);
});

/** Shell that puts something else in the place of /dev/kvm, in a mount namespace of its own. */
const hosts: Record<string, { prepare: string; setpriv?: string; message: RegExp }> = {
  "no device": {
    prepare: `mount -t tmpfs none "$D"
      for f in null zero random urandom; do touch "$D/$f"; mount --bind "/dev/$f" "$D/$f"; done
      mount --rbind "$D" /dev`,
    message: /^There is no \/dev\/kvm: .*modprobe kvm_intel, or kvm_amd\. .*/,
  },
  "another file": {
    prepare: `touch "$D/kvm"; mount --bind "$D/kvm" /dev/kvm`,
    message: /^\/dev\/kvm is not KVM: it answers .* ENOTTY\./,
  },
  "no permission": {
    // Root may open anything as long as it has the capability to.
    prepare: `touch "$D/kvm"; chmod 000 "$D/kvm"; mount --bind "$D/kvm" /dev/kvm`,
    setpriv: "setpriv --bounding-set=-dac_override,-dac_read_search",
    message: /^No permission to open \/dev\/kvm: .*usermod -aG kvm/,
  },
};

/** What keeps this process from mounts of its own; `undefined` when nothing does. */
function mountProblem(tool: string): string | undefined {
  const test = new Deno.Command("sh", {
    args: ["-c", `unshare -m true && ${tool} true`],
    stdout: "null",
    stderr: "null",
  });
  if (!test.outputSync().success) return "CAP_SYS_ADMIN, unshare(1) and setpriv(1)";
  return Deno.lstatSync("/dev").isDirectory && exists("/dev/kvm") ? undefined : "/dev/kvm";
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path) !== undefined;
  } catch {
    return false;
  }
}

for (const [what, { prepare, setpriv = "", message }] of Object.entries(hosts)) {
  const problem = mountProblem(setpriv);
  const name = `a host with ${what} is told the mend, and no stack`;
  Deno.test({
    name: problem === undefined ? name : `${name} (needs ${problem})`,
    ignore: problem !== undefined,
    fn: async () => {
      using guests = new Guests("pass");
      using folder = new TemporaryFolder();
      const script = `D=${folder.path}; ${prepare}; exec ${setpriv} "$@"`;
      const under = ["unshare", "-m", "sh", "-c", script, "sh"];
      const outcome = await conform([guests.flag, "own", "*/pass"], under);
      assertSentence(outcome, 3, message);
      assertMatch(outcome.stderr, / deno task lab svm own '\*\/pass' judges AMD's KVM, /);
      assertMatch(outcome.stderr, / deno task lab vmx own '\*\/pass' Intel's\.\n$/);
      assert(!outcome.stderr.includes("    at "));
    },
  });
}
