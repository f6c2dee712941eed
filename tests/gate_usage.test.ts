/** What `deno task gate` says to wrong arguments and damaged files. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { gate } from "../src/cli/gate.ts";
import { assertRefused, runCommand } from "./command.ts";
import { GateFolder } from "./gate_folder.ts";
import { record, runText } from "./records.ts";

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
  [{ backends: [{ backend: "host", cases: [] }] }, /`cases` is not a list of patterns as /],
  [{ backends: [{ backend: "host", cases: "pio/" }] }, /`cases` is not a list of patterns as /],
  [{ backends: [{ backend: "host", cases: ["pio/"], onRequest: true }] }, /leave out `onRequest`$/],
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

Deno.test("--help tells every option and exit code", async () => {
  const { code, stdout } = await runCommand(gate, "--help");
  assertEquals(code, 0);
  for (const option of ["--only", "--from", "--update", "--reason", "--shard", "--junit"]) {
    assertStringIncludes(stdout, option);
  }
  assertMatch(stdout, /Exit code: 0 .* 1 .* 2 [^]*3 /);
});
