/** `deno task gate --update`: what it writes into baselines and durations. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseRunFile } from "../src/report/run_file.ts";
import { entry, GateFolder } from "./gate_folder.ts";
import { record, runText } from "./records.ts";

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
