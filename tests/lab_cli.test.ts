/** `deno task lab` as a child process, with a QEMU that is a shell script. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { findCommand } from "../ci/lab/command.ts";
import { type Outcome, projectRoot, runDeno, TemporaryFolder } from "./host.ts";
import { bzImage, moduleFile } from "./lab_files.ts";

const main = new URL("src/cli/main.ts", projectRoot).pathname;

/** Finds the two files of the serial ports and the cases among QEMU's arguments. */
const head = `#!/bin/sh
echo $$ > "$LAB_PID"
for argument; do
  case $argument in
    file,id=console,path=*) console=\${argument#*path=} ;;
    file,id=channel,path=*) channel=\${argument#*path=} ;;
    *trapline.cases=*) command=$argument cases=\${argument##*trapline.cases=} cases=\${cases%% *} ;;
  esac
done
echo "$command" > "$LAB_COMMAND"
case $cases in *-*) cases=$(seq \${cases%-*} \${cases#*-}) ;; *) cases=$(echo $cases | tr , ' ') ;; esac
tell() { echo "$@" >> $channel; }
`;

/** A lab that runs its cases; `one` says what becomes of number `$n`. */
const machine = (one: string) =>
  `${head}
tell stage init; tell stage modules; tell ready
for n in $cases; do
  tell begin $n
  ${one}
  tell end $n pass 1.0
done
tell done
exec sleep 60
`;

const caseFile = (name: string) => `
  import { defineCase } from "${new URL("src/suite/case.ts", projectRoot)}";
  import { asm } from "${new URL("src/x86/asm/assembly.ts", projectRoot)}";
  export default defineCase({
    id: "own/${name}", spec: "SDM 2A: HLT", mode: "real", guest: asm\`hlt\`, trace: "hlt",
  });
`;

// Deno's own cache is not what these tests are about.
const denoDir = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`}/deno`;

// Building an image takes a second: all tests have the same one.
const shared = new TemporaryFolder();
addEventListener("unload", () => shared[Symbol.dispose]());

/** A kernel, a suite of three cases, tools that are scripts, and folders of its own. */
class Laboratory extends TemporaryFolder {
  readonly tools = `${this.path}/tools`;
  readonly temporary = `${this.path}/temporary`;
  readonly kernel = `${this.path}/bzImage`;

  static async of(script: string): Promise<Laboratory> {
    const lab = new Laboratory();
    Deno.mkdirSync(lab.tools);
    Deno.mkdirSync(lab.temporary);
    lab.tool("qemu-system-x86_64", script);
    // The image needs something to hold.
    for (const name of ["busybox", "objcopy"]) lab.tool(name, "#!/bin/sh\n");
    Deno.writeFileSync(lab.kernel, await bzImage({ release: "6.9.0-test" }));
    for (const name of ["a", "b", "c"]) lab.write(`guests/own/${name}.ts`, caseFile(name));
    return lab;
  }

  tool(name: string, script: string): void {
    const path = `${this.tools}/${name}`;
    Deno.writeTextFileSync(path, script);
    Deno.chmodSync(path, 0o755);
  }

  get environment(): Record<string, string> {
    return {
      PATH: `${this.tools}:${Deno.env.get("PATH")}`,
      XDG_CACHE_HOME: `${shared.path}/cache`,
      DENO_DIR: denoDir,
      TMPDIR: this.temporary,
      LAB_PID: `${this.path}/pid`,
      LAB_COMMAND: `${this.path}/command`,
    };
  }

  get arguments(): string[] {
    return ["run", "--allow-all", "--no-check", main, "lab", "svm", ...this.defaults];
  }

  get defaults(): string[] {
    return [`--kernel=${this.kernel}`, `--guests=${this.path}/guests`];
  }

  async run(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    const all = Object.entries({ ...this.environment, ...environment });
    const under = ["env", ...all.map(([name, value]) => `${name}=${value}`)];
    const outcome = await runDeno([...this.arguments, ...args], { under });
    this.assertNothingLeft();
    return outcome;
  }

  /** No emulator, no temporary file. */
  assertNothingLeft(): void {
    assertEquals([...Deno.readDirSync(this.temporary)].map(({ name }) => name), []);
    assertEquals(this.emulator(), undefined);
  }

  /** The process of the last emulator, if it is there. */
  emulator(): number | undefined {
    try {
      const pid = Deno.readTextFileSync(`${this.path}/pid`).trim();
      Deno.statSync(`/proc/${pid}`);
      return Number(pid);
    } catch {
      return undefined;
    }
  }
}

function assertSentence(outcome: Outcome, code: number, message: RegExp): void {
  assertMatch(outcome.stderr, message);
  assertEquals(outcome.stderr.trimEnd().split("\n").length, 1, outcome.stderr);
  assertEquals([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
}

const wrongUsage: [args: string[], message: RegExp][] = [
  [[], /^no lab is named: svm.*; see deno task lab --help\n$/],
  [["arm"], /^there is no lab arm: svm.*; see/],
  [["svm", "--nonsense"], /^there is no option --nonsense; see/],
  [["svm", "--smp", "0"], /^--smp 0 is not a number from 1 to 8; see/],
  [["svm", "--jobs=two"], /^--jobs two is not a number from 1 to 8; see/],
  [["svm", "--json"], /^--json takes one value; see/],
  [["svm", "--kernel="], /^--kernel takes one value; see/],
  [["svm", "--modules="], /^--modules takes one value; see/],
  [["svm", "--gate", "--no-baseline"], /^--gate judges by a baseline: --no-baseline leaves it/],
];

for (const [args, message] of wrongUsage) {
  Deno.test(`lab ${args.join(" ")} is wrong usage, in a sentence`, async () => {
    const outcome = await runDeno(["run", "--allow-all", "--no-check", main, "lab", ...args]);
    assertSentence(outcome, 2, message);
  });
}

Deno.test("lab --help tells every option and exit code, and runs nothing", async () => {
  const { code, stdout } = await runDeno(["run", "-A", "--no-check", main, "lab", "--help"]);
  assertEquals(code, 0);
  const options = ["kernel", "modules", "params", "smp", "jobs", "json", "baseline", "no-baseline"];
  for (const option of [...options, "gate", "guests", "keep"]) {
    assertStringIncludes(stdout, `--${option}`);
  }
  assertMatch(stdout, /Exit code: 0 .* 1 .* 2 [^]*3 /);
});

Deno.test("a lab judges what it is asked to, on a kernel and with parameters of one's own", async () => {
  using lab = await Laboratory.of(machine(""));
  const json = `${lab.path}/run.jsonl`;
  const all = await lab.run([`--json=${json}`, "--params", "npt=0", "--params=kvm.x=1,nested=1"]);
  assertEquals([all.code, all.stderr], [0, ""]);
  assertMatch(all.stdout, /^3 passed, 0 failed, 0 skipped \(/);
  const [header, ...records] = Deno.readTextFileSync(json).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(header, {
    kind: "run",
    kernel: "6.9.0-test",
    backend: "svm",
    lab: true,
    params: ["npt=0", "kvm.x=1", "nested=1"],
    cases: 3,
  });
  assertEquals(records.map(({ id, actual }) => [id, actual]), [
    ["own/a", "hlt"],
    ["own/b", "hlt"],
    ["own/c", "hlt"],
  ]);
  const command = Deno.readTextFileSync(`${lab.path}/command`);
  assertMatch(command, / kvm_amd\.npt=0 kvm\.x=1 kvm_amd\.nested=1 .* trapline\.cases=0-2 /);
  const some = await lab.run(["own/b"]);
  assertMatch(some.stdout, /^1 passed/);
  assertMatch(Deno.readTextFileSync(`${lab.path}/command`), / trapline\.cases=1 /);
  assertSentence(await lab.run(["nothing"]), 2, /^no case matches nothing: /);
});

Deno.test("two machines share the cases", async () => {
  using lab = await Laboratory.of(machine(`echo $n $$ >> "$LAB_PID.all"`));
  const { code, stdout } = await lab.run(["--jobs=2"]);
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^3 passed/);
  const judged = Deno.readTextFileSync(`${lab.path}/pid.all`).trim().split("\n")
    .map((line) => line.split(" "));
  assertEquals(judged.map(([number]) => number).sort(), ["0", "1", "2"]);
  assertEquals(new Set(judged.map(([, pid]) => pid)).size, 2);
});

Deno.test("an emulator that is killed costs one verdict, and its report has the log", async () => {
  using lab = await Laboratory.of(machine(
    `[ $n = 1 ] && { echo "[ 1.0] the last words" >> $console; sleep 0.1; kill -KILL $$; }`,
  ));
  const { code, stdout, stderr } = await lab.run([]);
  assertEquals([code, stderr], [1, ""]);
  assertMatch(
    stdout,
    /^CRASH own\/b {2}real mode, .*\n {4}the emulator is gone: it was ended by SIGK/,
  );
  assertMatch(stdout, /\n {4}the kernel's log:\n {6}\[ 1\.0\] the last words\n/);
  assertMatch(stdout, /\n2 passed, 1 failed, 0 skipped \(/);
});

Deno.test("a lab that does not boot can run nothing", async () => {
  using lab = await Laboratory.of(`${head} echo "qemu: no such CPU" >&2; exit 1`);
  assertSentence(
    await lab.run([]),
    3,
    /^the lab does not boot: the emulator is gone: it ended with 1: qemu: no such CPU\n$/,
  );
});

Deno.test("a kernel without KVM can run nothing", async () => {
  using lab = await Laboratory.of(`${head} tell failed the kernel has no KVM; exec sleep 60`);
  assertSentence(await lab.run([]), 3, /^the lab does not boot: the kernel has no KVM\n$/);
});

Deno.test("a file that is no kernel can run nothing", async () => {
  using lab = await Laboratory.of(machine(""));
  Deno.writeTextFileSync(lab.kernel, "hello");
  assertSentence(await lab.run([]), 3, /bzImage is no bzImage: it has 5 bytes; give arch\/x86/);
  Deno.removeSync(lab.kernel);
  assertSentence(
    await lab.run([]),
    3,
    /^the kernel .* cannot be read: No such file or directory\n$/,
  );
});

Deno.test("a module of another version can run nothing, an unknown parameter is wrong", async () => {
  using lab = await Laboratory.of(machine(""));
  const tool = findCommand("objcopy");
  if (tool !== undefined) lab.tool("objcopy", `#!/bin/sh\nexec ${tool} "$@"\n`);
  else {lab.tool(
      "objcopy",
      `#!/bin/sh\nfor file; do :; done; cp "$(dirname $file)/whole.ko" $file\n`,
    );}
  const module = lab.write("modules/kvm-amd.ko", "");
  const build = (vermagic: string) =>
    Deno.writeFileSync(module, moduleFile({ name: "kvm_amd", vermagic, parmtype: "npt:bool" }));
  build("6.8.0 SMP ");
  assertSentence(
    await lab.run([`--modules=${lab.path}/modules`]),
    3,
    /kvm-amd\.ko was built for the kernel 6\.8\.0, and .*bzImage is 6\.9\.0-test: build it/,
  );
  build("6.9.0-test SMP ");
  assertSentence(
    await lab.run([`--modules=${module}`, "--params=ept=0"]),
    2,
    /^--params ept=0: neither kvm_amd has it\n$/,
  );
  assertEquals((await lab.run([`--modules=${module}`, "--params=npt=0"])).code, 0);
});

Deno.test("tools that are missing are named before anything starts", async () => {
  using lab = await Laboratory.of(machine(""));
  Deno.removeSync(`${lab.tools}/objcopy`);
  Deno.removeSync(`${lab.tools}/qemu-system-x86_64`);
  const outcome = await lab.run([], { PATH: lab.tools });
  assertSentence(
    outcome,
    3,
    /^this lab needs qemu-system-x86_64, objcopy, ldd: apt-get install qemu-system-x86 binutils libc-bin\n$/,
  );
});

Deno.test("a full disk is said so, wherever it is", async () => {
  using lab = await Laboratory.of(machine(""));
  const outcome = await lab.run(["--json=/dev/full"]);
  assertMatch(outcome.stderr, /^--json \/dev\/full: No space left on device[^\n]*\n$/);
  assertMatch(outcome.stdout, /^3 passed/);
  assertEquals(outcome.code, 3);
});

const small = new Deno.Command("unshare", {
  args: ["-m", "true"],
  stdout: "null",
  stderr: "null",
});

function mayMount(): boolean {
  try {
    return small.outputSync().success;
  } catch {
    return false;
  }
}

/** Runs a lab with a tiny file system mounted on a folder, and tells what is left in it. */
async function withTinyDisk(lab: Laboratory, folder: string, env: string[]): Promise<Outcome> {
  Deno.mkdirSync(folder, { recursive: true });
  const script = `mount -t tmpfs -o size=256k none ${folder} || exit 99
    "$@"; code=$?
    left=$(find ${folder} -mindepth 1 -name '.*'; find ${folder} -name '*trapline-*')
    [ -z "$left" ] || echo "left: $left" >&2
    exit $code`;
  const environment = Object.entries(lab.environment).map(([name, value]) => `${name}=${value}`);
  const under = ["unshare", "-m", "env", ...environment, ...env, "sh", "-c", script, "sh"];
  return await runDeno(lab.arguments, { under });
}

Deno.test({
  name: "a cache on a full disk is said so, and nothing is left in it",
  ignore: !mayMount(),
  fn: async () => {
    using lab = await Laboratory.of(machine(""));
    const cache = `${lab.path}/disk`;
    const outcome = await withTinyDisk(lab, cache, [`XDG_CACHE_HOME=${cache}`]);
    assertSentence(
      outcome,
      3,
      /^the cache .*\/disk\/trapline cannot be written: No space left on device; XDG_CACHE_HOME says/,
    );
  },
});

Deno.test({
  name: "a full disk under the serial ports is not taken for a crash",
  ignore: !mayMount(),
  fn: async () => {
    using lab = await Laboratory.of(machine(
      `[ $n = 1 ] && { head -c 999999 /dev/zero >> $console; exit 1; }`,
    ));
    await lab.run([]);
    const folder = `${lab.path}/disk`;
    const { code, stdout, stderr } = await withTinyDisk(lab, folder, [`TMPDIR=${folder}`]);
    assertEquals(code, 3);
    assertMatch(stderr, /^\S+ cannot be written: No space left on device; TMPDIR says where labs/);
    assertMatch(stdout, /^1 passed, 0 failed/);
  },
});

Deno.test("a baseline that is damaged can run nothing", async () => {
  using lab = await Laboratory.of(machine(""));
  const baseline = lab.write("lab.json", "{");
  assertSentence(await lab.run([`--baseline=${baseline}`]), 3, /^baseline lab\.json is not JSON: /);
});

Deno.test("--gate judges by a baseline, and tells nothing but what it does not expect", async () => {
  using lab = await Laboratory.of(machine(
    `[ $n = 1 ] && { tell end 1 fail 1.0 '{"actual":"shutdown"}'; continue; }`,
  ));
  assertSentence(
    await lab.run(["--gate", "--params=kvm.x=1"]),
    3,
    /^there is no baseline svm-6\.9-kvm\.x=1\.json, and --gate judges by one: name it with --baseline FILE\n$/,
  );
  const entry = { verdict: "fail", reason: "on purpose", since: "2026-01-31" };
  const baseline = (entries: Record<string, unknown>) =>
    `--baseline=${lab.write("lab.json", JSON.stringify(entries))}`;
  const expected = await lab.run(["--gate", baseline({ "own/b": entry })]);
  assertEquals(expected.code, 0);
  assertMatch(expected.stdout, /^2 passed, 0 failed, 0 skipped, 1 known to fail \(.*\)\n$/);
  assertEquals((await lab.run(["--gate", baseline({})])).code, 1);
  const stale = await lab.run(["--gate", baseline({ "own/a": entry, "own/b": entry })]);
  assertEquals(stale.code, 1);
  assertMatch(stale.stdout, /^STALE .*\n {4}own\/a\n/);
});

Deno.test("--gate runs a regression once more, and tolerates what does not come again", async () => {
  using lab = await Laboratory.of(machine(
    `[ $n = 1 ] && [ ! -e "$LAB_PID.failed" ] && {
      touch "$LAB_PID.failed"; tell end 1 fail 1.0 '{"actual":"shutdown"}'; continue; }`,
  ));
  const baseline = `--baseline=${lab.write("lab.json", "{}")}`;
  const once = await lab.run(["--gate", baseline]);
  assertEquals(once.code, 0);
  assertMatch(
    once.stdout,
    /^tolerated: own\/b ended with fail once \(.*\) and with pass when it ran again\n3 passed, 0 /,
  );
  Deno.removeSync(`${lab.path}/pid.failed`);
  assertEquals((await lab.run([baseline])).code, 1);
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} leaves no process and no file, and keeps what was judged`, async () => {
    using lab = await Laboratory.of(machine("[ $n = 1 ] && exec sleep 60"));
    const json = `${lab.path}/run.jsonl`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [...lab.arguments, `--json=${json}`],
      env: { ...lab.environment, NO_COLOR: "1" },
      detached: true,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const lines = () => {
      try {
        return Deno.readTextFileSync(json).split("\n").length;
      } catch {
        return 0;
      }
    };
    while (lines() < 3) await new Promise((resolve) => setTimeout(resolve, 20));
    assert(lab.emulator() !== undefined);
    // As a terminal does: to all processes of the group.
    Deno.kill(-child.pid, signal);
    const output = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([output.code, text(output.stderr)], [code, "interrupted\n"]);
    assertMatch(text(output.stdout), /^1 passed, 0 failed/);
    lab.assertNothingLeft();
    assertStringIncludes(Deno.readTextFileSync(json), '"own/a","verdict":"pass"');
  });
}

Deno.test("--keep keeps what the lab has said, and tells where", async () => {
  using lab = await Laboratory.of(machine("echo '[ 1.0] a word' >> $console"));
  const under = [
    "env",
    ...Object.entries(lab.environment).map(([name, value]) => `${name}=${value}`),
  ];
  const { code, stdout } = await runDeno([...lab.arguments, "--keep"], { under });
  assertEquals(code, 0);
  const [, folder] = /^kept: (\S+)\n/.exec(stdout)!;
  const boot = `${folder}/machine0/boot0`;
  assertStringIncludes(Deno.readTextFileSync(`${boot}/console`), "[ 1.0] a word");
  assertStringIncludes(Deno.readTextFileSync(`${boot}/channel`), "end 2 pass");
});
