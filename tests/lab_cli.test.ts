/** `deno task lab` as a child process, with a QEMU that is a shell script. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runDeno } from "./host.ts";
import { assertSentence, Laboratory, machine, main } from "./laboratory.ts";

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
  assertMatch(command, / kvm_amd\.npt=0 kvm\.x=1 kvm_amd\.nested=1 trapline\.cases=0-2 /);
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

/** A run of a lab that has judged one case and is in the second, as a process of its own. */
async function runningLab(lab: Laboratory, json: string): Promise<Deno.ChildProcess> {
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
  return child;
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} leaves no process and no file, and keeps what was judged`, async () => {
    using lab = await Laboratory.of(machine("[ $n = 1 ] && exec sleep 60"));
    const json = `${lab.path}/run.jsonl`;
    const child = await runningLab(lab, json);
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

Deno.test("a lab that is killed takes its emulator with it, and what was judged stays", async () => {
  using lab = await Laboratory.of(machine("[ $n = 1 ] && exec sleep 60"));
  const json = `${lab.path}/run.jsonl`;
  const child = await runningLab(lab, json);
  child.kill("SIGKILL");
  await child.output();
  for (let tries = 0; lab.emulator() !== undefined && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(lab.emulator(), undefined);
  assertStringIncludes(Deno.readTextFileSync(json), '"own/a","verdict":"pass"');
});

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
