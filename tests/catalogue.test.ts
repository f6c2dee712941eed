import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  type CatalogueEntry,
  CatalogueError,
  loadCatalogue,
  selectCases,
} from "../src/suite/catalogue.ts";
import { projectRoot, TemporaryFolder } from "./host.ts";

/** A module that exports cases of these ids; the catalogue looks at nothing else of them. */
function cases(...ids: string[]): string {
  const list = ids.map((id) => `{ id: ${JSON.stringify(id)} }`).join(", ");
  return `export default ${ids.length === 1 ? list : `[${list}]`};\n`;
}

function load(files: Record<string, string>): Promise<CatalogueEntry[]> {
  const folder = new TemporaryFolder();
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  return loadCatalogue(new URL(`file://${folder.path}/`))
    .finally(() => folder[Symbol.dispose]());
}

const ids = (entries: readonly CatalogueEntry[]): string[] => entries.map((entry) => entry.case.id);

Deno.test("a catalogue has every case below its folder by id, with its file", async () => {
  const entries = await load({
    "pio/out.ts": cases("pio/out"),
    "exit/hlt.ts": cases("exit/hlt~real", "exit/hlt~long"),
    "exit/README.md": "not a case",
    "exit/_table.ts": "throw new Error('not a case');",
    "_shared/a.ts": "throw new Error('not a case');",
    ".hidden/a.ts": "throw new Error('not a case');",
  });
  assertEquals(ids(entries), ["exit/hlt~long", "exit/hlt~real", "pio/out"]);
  assertMatch(entries[2].file, /^file:\/\/.*\/pio\/out\.ts$/);
});

Deno.test("the suite of the project loads", async () => {
  const entries = await loadCatalogue(new URL("guests/", projectRoot));
  assertEquals(ids(entries).includes("pio/out-imm8"), true);
  assertEquals(ids(entries), ids(entries).toSorted());
});

const wrong: [what: string, files: Record<string, string>, message: RegExp][] = [
  ["no case at all", { "README.md": "" }, /holds no case/],
  [
    "an id that is not its path",
    { "pio/out.ts": cases("pio/in") },
    /^pio\/out\.ts defines pio\/in: path and id have to agree$/,
  ],
  [
    "a variation that is not its path",
    { "pio/out.ts": cases("pio/out~a", "pio/in~b") },
    /^pio\/out\.ts defines pio\/in~b/,
  ],
  [
    "an id of another folder",
    { "pio/out.ts": cases("mmio/out") },
    /^pio\/out\.ts defines mmio\/out/,
  ],
  [
    "a file without a case",
    { "pio/out.ts": "export const a = 1;" },
    /^pio\/out\.ts exports no case: end it with export default defineCase/,
  ],
  ["a file with an empty table", { "pio/out.ts": "export default [];" }, /exports no case/],
  ["a file that exports something else", { "pio/out.ts": "export default 5;" }, /path and id/],
  [
    "a case that is defined twice",
    { "pio/out.ts": cases("pio/out", "pio/out") },
    /^pio\/out is defined in file:.*pio\/out\.ts and file:.*pio\/out\.ts$/,
  ],
  [
    "a file that throws",
    { "pio/out.ts": "throw new Error('broken on purpose');" },
    /^pio\/out\.ts cannot be loaded: broken on purpose$/,
  ],
  [
    "a file that is no module",
    { "pio/out.ts": "export default {" },
    /^pio\/out\.ts cannot be loaded/,
  ],
];

for (const [what, files, message] of wrong) {
  Deno.test(`a catalogue with ${what} is refused`, async () => {
    const error = await assertRejects(() => load(files), CatalogueError);
    assertMatch(error.message, message);
  });
}

Deno.test("a folder that cannot be read is refused", async () => {
  await assertRejects(
    () => loadCatalogue(new URL("file:///nowhere/at/all/")),
    CatalogueError,
    "the folder of cases cannot be read: ",
  );
});

const all = ["exit/hlt~long", "exit/hlt~real", "mmio/read", "pio/in", "pio/out"]
  .map((id) => ({ case: { id }, file: "" })) as unknown as CatalogueEntry[];

const choices: [patterns: string[], chosen: string[]][] = [
  [[], ["exit/hlt~long", "exit/hlt~real", "mmio/read", "pio/in", "pio/out"]],
  [["pio"], ["pio/in", "pio/out"]],
  [["pio/*"], ["pio/in", "pio/out"]],
  [["*pio"], []],
  [["*~long"], ["exit/hlt~long"]],
  [["exit/*real"], ["exit/hlt~real"]],
  [["*"], ["exit/hlt~long", "exit/hlt~real", "mmio/read", "pio/in", "pio/out"]],
  [["read", "pio/out", "out"], ["mmio/read", "pio/out"]],
  [["p.o"], []],
  [["p.o*"], []],
  [["(", "pio/in*("], []],
  [["PIO"], []],
];

for (const [patterns, chosen] of choices) {
  Deno.test(`the patterns [${patterns.join(" ")}] choose ${chosen.length} of the cases`, () => {
    assertEquals(ids(selectCases(all, patterns)), chosen);
  });
}
