/** Baselines as files: which one belongs to a run, and how one is brought up to date. */
import { assertEquals, assertThrows } from "@std/assert";
import { findBaseline } from "../src/cli/baselines.ts";
import { type Place, runName } from "../src/report/report.ts";
import { BaselineError, parseBaseline } from "../src/suite/baseline.ts";
import { formatBaseline, updateBaseline } from "../src/suite/baseline_update.ts";
import { TemporaryFolder } from "./host.ts";

const names: [place: Place, name: string][] = [
  [{ kernel: "6.18.44-cloud", backend: "pvm" }, "host-pvm-6.18"],
  [{ kernel: "6.12.95+deb13-amd64", backend: "svm", lab: true }, "svm-6.12"],
  [{ kernel: "6.1", backend: "svm", lab: true, params: [] }, "svm-6.1"],
  [{ kernel: "6.13-rc1", backend: "vmx", lab: true, params: ["ept=0"] }, "vmx-6.13-ept=0"],
  [{ kernel: "6.18.44", backend: "pvm", lens: "restore" }, "host-pvm-6.18-restore"],
  [
    { kernel: "6.12.95", backend: "svm", lab: true, params: ["npt=0"], lens: "sync-regs" },
    "svm-6.12-npt=0-sync-regs",
  ],
  [{ kernel: "6.1.2", backend: "vmx", lab: true, params: ["b=1", "a=0"] }, "vmx-6.1-a=0-b=1"],
];

for (const [place, name] of names) {
  Deno.test(`a run on ${JSON.stringify(place)} is called ${name}`, () => {
    assertEquals(runName(place), name);
  });
}

const svm = (kernel: string, params: string[] = []) => ({
  kernel,
  backend: "svm",
  lab: true,
  params,
});

const underRestore: Place = { ...svm("6.12.3"), lens: "restore" };

const found: [files: string[], place: Place, file: string | undefined, target: string][] = [
  [["svm-6.12", "svm-6.1", "svm-6.12-npt=0"], svm("6.12.3"), "svm-6.12", "svm-6.12"],
  [["svm-6.12", "svm-6.12-npt=0"], svm("6.12.3", ["npt=0"]), "svm-6.12-npt=0", "svm-6.12-npt=0"],
  [["svm-6.12"], svm("6.12.3", ["npt=0"]), undefined, "svm-6.12-npt=0"],
  [["vmx-6.12", "host-svm-6.12"], svm("6.12.3"), undefined, "svm-6.12"],
  // 6.1 is older than 6.9, and 6.9 than 6.12.
  [["svm-6.1", "svm-6.9", "svm-6.20"], svm("6.12.3"), "svm-6.9", "svm-6.12"],
  [["svm-6.13", "svm-6.20"], svm("6.12.3"), "svm-6.13", "svm-6.12"],
  [["host-pvm"], { kernel: "6.18.1", backend: "pvm" }, "host-pvm", "host-pvm"],
  // Under a lens, a baseline of its own goes before the one without.
  [["svm-6.12"], underRestore, "svm-6.12", "svm-6.12-restore"],
  [["svm-6.12", "svm-6.12-restore"], underRestore, "svm-6.12-restore", "svm-6.12-restore"],
  [
    ["host-pvm"],
    { kernel: "6.18.1", backend: "pvm", lens: "restore" },
    "host-pvm",
    "host-pvm-6.18-restore",
  ],
  [["svm-6.12"], { kernel: "6.12.1", backend: "svm" }, undefined, "host-svm-6.12"],
];

for (const [files, place, file, target] of found) {
  Deno.test(`of ${files.join(", ")}, ${runName(place)} takes ${file ?? "none"}`, () => {
    using folder = new TemporaryFolder();
    const entry = { verdict: "fail", reason: "because", since: "2026-01-31" };
    for (const name of files) {
      folder.write(`${name}.json`, JSON.stringify({ [`in/${name}`]: entry }));
    }
    const result = findBaseline(place, new URL(`file://${folder.path}/`));
    const nameOf = (url?: URL) => url?.pathname.split("/").at(-1)?.replace(".json", "");
    assertEquals([nameOf(result.file), nameOf(result.target)], [file, target]);
    assertEquals([...result.baseline.keys()], file === undefined ? [] : [`in/${file}`]);
  });
}

Deno.test("a folder of baselines that is not there is said", () => {
  assertThrows(
    () => findBaseline(svm("6.12"), new URL("file:///nowhere/")),
    BaselineError,
    "the baselines cannot be read: No such file or directory",
  );
});

const known = (verdict: "fail" | "timeout") =>
  ({ verdict, reason: "because", since: "2026-01-31" }) as const;

Deno.test("an update keeps what fails as listed or was not judged, and drops what passes", () => {
  const baseline = new Map([
    ["a/fails", known("fail")],
    ["a/passes", known("fail")],
    ["a/skips", known("fail")],
    ["a/other", known("fail")],
    ["a/unjudged", known("timeout")],
    ["a/gone", known("fail")],
  ]);
  const update = updateBaseline(
    baseline,
    new Map([
      ["a/fails", "fail"],
      ["a/passes", "pass"],
      ["a/skips", "skip"],
      ["a/other", "crash"],
      ["a/new", "timeout"],
      ["a/fine", "pass"],
    ]),
    (id) => id !== "a/gone",
  );
  assertEquals([...update.kept.keys()], ["a/fails", "a/skips", "a/unjudged"]);
  assertEquals(update.kept.get("a/fails"), known("fail"));
  assertEquals([...update.added], [["a/other", "crash"], ["a/new", "timeout"]]);
  assertEquals(update.removed, ["a/passes", "a/gone"]);
});

Deno.test("a baseline is written by id, and read back as it was", () => {
  const baseline = new Map([["b/b", known("fail")], ["a/a~c", known("timeout")]]);
  const text = formatBaseline(baseline);
  assertEquals([...parseBaseline("b.json", text)], [...baseline].reverse());
  assertEquals(text.split("\n").slice(0, 3), ["{", '  "a/a~c": {', '    "verdict": "timeout",']);
  assertEquals(formatBaseline(new Map()), "{}\n");
});

Deno.test("the project's baselines are written as an update writes them", () => {
  const folder = new URL("../ci/baselines/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    const text = Deno.readTextFileSync(new URL(name, folder));
    assertEquals(formatBaseline(parseBaseline(name, text)), text, name);
  }
});
