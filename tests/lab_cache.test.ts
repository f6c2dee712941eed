import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Cache, contentKey } from "../ci/lab/cache.ts";
import { findCommand, requireTools, run } from "../ci/lab/command.ts";
import { LabError } from "../ci/lab/error.ts";
import { readTimes, writeTimes } from "../ci/lab/times.ts";
import { TemporaryFolder } from "./host.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("an entry is built once, and appears whole", async () => {
  using folder = new TemporaryFolder();
  const cache = new Cache(`${folder.path}/cache`);
  assertEquals([cache.find("kind", "key"), cache.keys("kind")], [undefined, []]);
  let built = 0;
  const build = (entry: string) => {
    built++;
    assertEquals(cache.find("kind", "key"), undefined);
    Deno.writeTextFileSync(`${entry}/file`, "text");
  };
  const path = await cache.entry("kind", "key", build);
  assertEquals(await cache.entry("kind", "key", build), path);
  assertEquals([built, Deno.readTextFileSync(`${path}/file`)], [1, "text"]);
  assertEquals([cache.find("kind", "key"), cache.keys("kind")], [path, ["key"]]);
});

Deno.test("two runs may build the same entry at once", async () => {
  using folder = new TemporaryFolder();
  const cache = new Cache(folder.path);
  const build = async (entry: string) => {
    Deno.writeTextFileSync(`${entry}/file`, "text");
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const paths = await Promise.all([1, 2, 3].map(() => cache.entry("kind", "key", build)));
  assertEquals(new Set(paths).size, 1);
  assertEquals(names(`${folder.path}/kind`), ["key"]);
});

Deno.test("what is known by its contents is built, and kept once", async () => {
  using folder = new TemporaryFolder();
  const cache = new Cache(folder.path);
  const built = (text: string) =>
    cache.built(
      "kind",
      (entry) => Deno.writeTextFileSync(`${entry}/file`, text),
      (entry) => contentKey([Deno.readTextFileSync(`${entry}/file`)]),
    );
  const [a, b, again] = [await built("a"), await built("b"), await built("a")];
  assertEquals([a === b, a === again, a.endsWith(await contentKey(["a"]))], [false, true, true]);
  assertEquals(names(`${folder.path}/kind`).length, 2);
});

Deno.test("a build that fails leaves nothing", async () => {
  using folder = new TemporaryFolder();
  const cache = new Cache(folder.path);
  const build = (entry: string) => {
    Deno.writeTextFileSync(`${entry}/file`, "text");
    throw new LabError("no kernel");
  };
  await assertRejects(() => cache.entry("kind", "key", build), LabError, "no kernel");
  assertEquals(names(`${folder.path}/kind`), []);
});

Deno.test("a cache that cannot be written is said so, with the place and the mend", async () => {
  const error = await assertRejects(
    () => new Cache("/proc/nowhere").entry("kind", "key", () => {}),
    LabError,
  );
  assertMatch(
    error.message,
    /^the cache \/proc\/nowhere cannot be written: No such file .*XDG_CACHE/,
  );
});

Deno.test("the longest unused entries go, and what a killed run left", async () => {
  using folder = new TemporaryFolder();
  const cache = new Cache(folder.path);
  const old = new Date(Date.now() - 7_200_000);
  for (let n = 0; n < 8; n++) {
    const path = await cache.entry("images", `${n}`, () => {});
    Deno.utimeSync(path, new Date(old.getTime() + n * 1000), new Date(old.getTime() + n * 1000));
  }
  cache.find("images", "0");
  for (const [name, time] of [[".old", old], [".new", new Date()]] as const) {
    Deno.mkdirSync(`${folder.path}/images/${name}`);
    Deno.utimeSync(`${folder.path}/images/${name}`, time, time);
  }
  await cache.entry("images", "8", () => {});
  assertEquals(names(`${folder.path}/images`), [".new", "0", "2", "3", "4", "5", "6", "7", "8"]);
});

Deno.test("a key is of the contents and of where one ends and the next begins", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(await contentKey(["a", bytes("b")]), await contentKey([bytes("a"), "b"]));
  const keys = await Promise.all([["ab"], ["a", "b"], ["b", "a"], []].map(contentKey));
  assertEquals(new Set(keys).size, 4);
  assertMatch(keys[0], /^[0-9a-f]{16}$/);
});

Deno.test("what was learned of times is kept, and a damaged file forgotten", async () => {
  using folder = new TemporaryFolder();
  const cache = new Cache(folder.path);
  assertEquals(await readTimes(cache, "svm 6.12"), new Map());
  await writeTimes(cache, "svm 6.12", new Map([["a/b", 10], ["a/c", 20]]));
  await writeTimes(cache, "svm 6.12", new Map([["a/c", 30]]));
  assertEquals(await readTimes(cache, "svm 6.12"), new Map([["a/b", 10], ["a/c", 30]]));
  assertEquals(await readTimes(cache, "svm 6.1"), new Map());
  Deno.writeTextFileSync(
    `${folder.path}/times/${await contentKey(["svm 6.12"])}/times.json`,
    "{",
  );
  assertEquals(await readTimes(cache, "svm 6.12"), new Map());
  await writeTimes(new Cache("/proc/nowhere"), "svm 6.12", new Map([["a/b", 10]]));
});

Deno.test("tools that are missing are named, with their packages", async () => {
  const shell = { command: "sh", package: "dash" };
  const none = { command: "no-such-command", package: "no-package" };
  const other = { command: "neither", package: "no-package" };
  requireTools([shell]);
  const missing = () => requireTools([none, shell, other]);
  await assertRejects(
    () => Promise.resolve().then(missing),
    LabError,
    "this lab needs no-such-command, neither: apt-get install no-package",
  );
  assertEquals(findCommand("no-such-command"), undefined);
  await assertRejects(
    () => run(none, []),
    LabError,
    "there is no no-such-command: apt-get install",
  );
});

Deno.test("a command that fails is quoted by its last line", async () => {
  const shell = { command: "sh", package: "dash" };
  const given = await run(shell, ["-c", "cat; echo $A"], {
    input: new TextEncoder().encode("in\n"),
    env: { A: "b" },
  });
  assertEquals(new TextDecoder().decode(given), "in\nb\n");
  await assertRejects(
    () => run(shell, ["-c", "echo one >&2; echo two >&2; exit 3"]),
    LabError,
    "exit 3 failed: two",
  );
  await assertRejects(() => run(shell, ["-c", "exit 3"]), LabError, "it says no reason");
  // One that reads nothing does not keep us.
  const large = new Uint8Array(1 << 20);
  assertEquals((await run(shell, ["-c", "exec true"], { input: large })).length, 0);
});
