/** What a lab is made of: the suite as it is bundled, and the image around it. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Cache } from "../ci/lab/cache.ts";
import { labImage } from "../ci/lab/image.ts";
import type { PackedCase } from "../ci/lab/packed_case.ts";
import { bundleSuite } from "../ci/lab/suite.ts";
import { projectRoot, TemporaryFolder } from "./host.ts";
import { toolTest } from "./lab_files.ts";

const caseFile = (id: string, guest: string) => `
  import { asm, defineCase } from "${new URL("mod.ts", projectRoot)}";
  export default defineCase({
    id: "${id}", spec: "SDM 2A: HLT", mode: "real", guest: asm\`${guest}\`, trace: "hlt",
  });
`;

/** A folder of cases, and a cache. */
class Suite extends TemporaryFolder {
  readonly cache = new Cache(`${this.path}/cache`);
  /** Each in a folder of its own, for a module is loaded once. */
  bundle(folder: string, files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) this.write(`${folder}/own/${name}.ts`, text);
    return bundleSuite(this.cache, new URL(`file://${this.path}/${folder}/`));
  }
}

const files = {
  halt: caseFile("own/halt", "first: mov al, 0x41\n last: hlt"),
  wrong: caseFile("own/wrong", "no instruction"),
};

Deno.test("a suite is bundled without its assembler, its guests assembled", async () => {
  using suite = new Suite();
  const { folder, cases } = await suite.bundle("guests", files);
  assertEquals(cases.map(({ case: { id } }) => id), ["own/halt", "own/wrong"]);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assertEquals(names, ["agent.js", "cases.jsonl", "vcpu_worker.js"]);
  const script = Deno.readTextFileSync(`${folder}/agent.js`);
  assert(!/["']npm:|wasm_bindgen|iced_x86_bg/.test(script));
  const [halt, wrong, rest]: PackedCase[] = Deno.readTextFileSync(`${folder}/cases.jsonl`)
    .split("\n").map((line) => line === "" ? undefined : JSON.parse(line));
  assert("bytes" in halt && "error" in wrong);
  const { id, bits, origin, bytes, symbols } = halt;
  assertEquals([id, bits, origin, bytes], ["own/halt", 16, 0x8000, [0xb0, 0x41, 0xf4]]);
  assertEquals(symbols, [["first", "32768"], ["last", "32770"]]);
  assertMatch(wrong.error, /^AssemblyError: line 1, column 1: /);
  assertEquals(rest, undefined);
});

Deno.test("a suite is what its files are: another is another, the same is the same", async () => {
  using suite = new Suite();
  const first = await suite.bundle("guests", files);
  const again = await suite.bundle("guests", files);
  assertEquals([again.folder, again.denoDir], [first.folder, first.denoDir]);
  const other = await suite.bundle("others", {
    ...files,
    wrong: caseFile("own/wrong", "hlt"),
  });
  assertNotEquals(other.key, first.key);
});

toolTest("an image is built once, of what is in it", ["busybox"], async () => {
  using suite = new Suite();
  const bundled = await suite.bundle("guests", files);
  const module = { name: "kvm", bytes: Uint8Array.of(1, 2, 3), parameters: [] };
  const image = await labImage(suite.cache, bundled, [module]);
  const { ino, size } = Deno.statSync(image);
  assert(size > Deno.statSync(Deno.execPath()).size);
  assertEquals(await labImage(suite.cache, bundled, [module]), image);
  assertEquals(Deno.statSync(image).ino, ino);
  const other = { ...module, bytes: Uint8Array.of(1, 2, 4) };
  assertNotEquals(await labImage(suite.cache, bundled, [other]), image);
  assertNotEquals(await labImage(suite.cache, bundled, []), image);
});

/** The scripts below a folder of the suite. */
function scripts(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? scripts(new URL(`${name}/`, folder)) : [new URL(name, folder)]
  );
}

Deno.test("no case assembles anything while it runs: a lab has no assembler", () => {
  const all = scripts(new URL("guests/", projectRoot));
  const assembling = all.filter((file) => /\bassemble\(/.test(Deno.readTextFileSync(file)));
  assertEquals(assembling.map(({ pathname }) => pathname), []);
});
