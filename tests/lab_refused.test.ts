/** What `deno task lab` says when it can run nothing, or is used wrongly. */
import { assertEquals, assertMatch } from "@std/assert";
import { findCommand } from "../ci/lab/command.ts";
import { type Outcome, runDeno } from "./host.ts";
import { moduleFile } from "./lab_files.ts";
import { assertSentence, head, Laboratory, machine, main } from "./laboratory.ts";

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
    /^this lab needs qemu-system-x86_64, setpriv, objcopy, ldd: apt-get install qemu-system-x86 util-linux binutils libc-bin\n$/,
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
