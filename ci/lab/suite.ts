/** What goes into the lab to be run: the suite as one script, its guests assembled already. */
import { type CatalogueEntry, loadCatalogue } from "../../src/suite/catalogue.ts";
import { prepareGuest } from "../../src/suite/guest.ts";
import { type Cache, contentKey } from "./cache.ts";
import { run } from "./command.ts";
import { LabError } from "./error.ts";
import type { PackedCase } from "./packed_case.ts";

/** The suite, bundled. */
export interface SuiteBundle {
  /** A folder; its path in the lab is the same, which V8's code cache goes by. */
  readonly folder: string;
  /** Folder of a Deno that has run the suite's script: what is known of it need not be found anew. */
  readonly denoDir: string;
  /** Its contents in a word. */
  readonly key: string;
  /** All cases of it, by id; a case's place in this list is its number in the lab. */
  readonly cases: readonly CatalogueEntry[];
}

const project = new URL("../../", import.meta.url);
const deno = { command: Deno.execPath(), package: "deno" };

/**
 * Bundles the suite for the lab, if the cache does not have it.
 *
 * @param guests URL of the folder of cases
 * @throws {CatalogueError} when the folder cannot be read as one of cases.
 * @throws {LabError} when it cannot be bundled, or the cache cannot be written.
 */
export async function bundleSuite(cache: Cache, guests: URL): Promise<SuiteBundle> {
  const cases = await loadCatalogue(guests);
  const build = (folder: string) => bundle(folder, cases, guests);
  const { key, folder } = guests.href.startsWith(project.href)
    ? await byItsSources(cache, guests, build)
    : await byItsBundle(cache, build);
  const denoDir = await cache.entry("code", await contentKey([folder, key]), async (denoDir) => {
    await run(deno, [...runOptions, `${folder}/agent.js`, "--import"], {
      env: { DENO_DIR: denoDir },
    });
  });
  return { folder, denoDir, key, cases };
}

interface Kept {
  readonly key: string;
  readonly folder: string;
}

type Build = (folder: string) => Promise<void>;

/** By folder of cases, what their sources were when this process loaded them. */
const loaded = new Map<string, Promise<string>>();

/** The project's cases import the project alone: what they are is known without bundling them. */
async function byItsSources(cache: Cache, guests: URL, build: Build): Promise<Kept> {
  // Whoever edits a case while a gate runs must not get the guest of before with the trace of now.
  let known = loaded.get(guests.href);
  if (known === undefined) loaded.set(guests.href, known = sourcesKey(guests));
  const key = await known;
  const folder = await cache.entry("suites", key, async (folder) => {
    await build(folder);
    if (await sourcesKey(guests) === key) return;
    throw new LabError("the project was changed while it was bundled for the lab: start anew");
  });
  return { key, folder };
}

function sourcesKey(guests: URL): Promise<string> {
  return contentKey([
    Deno.version.deno,
    guests.href,
    Deno.readTextFileSync(new URL("mod.ts", project)),
    ...sources(["ci/lab/", "src/", "ffi/"].map((folder) => new URL(folder, project))),
    ...sources([guests]),
  ]);
}

/** Cases from elsewhere may import anything: they are bundled to see what they are. */
async function byItsBundle(cache: Cache, build: Build): Promise<Kept> {
  const folder = await cache.built("suites", build, async (folder) => {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    const contents = names.map((name) => Deno.readFileSync(`${folder}/${name}`));
    return await contentKey([Deno.version.deno, ...names, ...contents]);
  });
  return { key: folder.slice(folder.lastIndexOf("/") + 1), folder };
}

/** How the lab's Deno is started. */
export const runOptions: readonly string[] = [
  "run",
  "--allow-all",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-prompt",
];

/** Names and contents of the scripts below folders. */
function sources(folders: readonly URL[]): string[] {
  return folders.flatMap((folder) => {
    const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
    return entries.flatMap(({ name, isDirectory }) => {
      if (isDirectory) return sources([new URL(`${encodeURIComponent(name)}/`, folder)]);
      if (!name.endsWith(".ts")) return [];
      return [name, Deno.readTextFileSync(new URL(encodeURIComponent(name), folder))];
    });
  });
}

function packLine({ case: definition, file }: CatalogueEntry): string {
  return `${JSON.stringify(packCase(definition, file))}\n`;
}

function packCase(definition: CatalogueEntry["case"], file: string): PackedCase {
  const { id } = definition;
  try {
    const { assembled, machine } = prepareGuest(definition);
    const { bytes, origin, symbols } = assembled;
    return {
      id,
      file,
      bits: machine.bits,
      origin: Number(origin),
      bytes: [...bytes],
      symbols: [...symbols].map(([name, value]) => [name, `${value}`]),
    };
  } catch (error) {
    // It is the verdict of this case alone.
    return { id, file, error: String((error as Error).stack) };
  }
}

/** Makes `agent.js`, `vcpu_worker.js` and `cases.jsonl` in a folder. */
async function bundle(
  folder: string,
  cases: readonly CatalogueEntry[],
  guests: URL,
): Promise<void> {
  await Deno.writeTextFile(`${folder}/cases.jsonl`, cases.map(packLine).join(""));
  const files = [...new Set(cases.map(({ file }) => file))];
  const agent = new URL("ci/lab/agent.ts", project).href;
  const imports = files.map((file) =>
    `  [${JSON.stringify(file)}, () => import(${JSON.stringify(file)})],`
  );
  const entry = [
    `import { runAgent } from ${JSON.stringify(agent)};`,
    "await runAgent(new Map([",
    ...imports,
    "]));",
  ];
  await Deno.writeTextFile(`${folder}/entry.ts`, entry.join("\n"));
  // Guests come assembled: the assembler's library stays behind.
  const absent = 'throw new Error("there is no assembler in a lab");\nexport {};\n';
  await Deno.writeTextFile(`${folder}/no_assembler.ts`, absent);
  const config = { imports: { "npm:iced-x86@1.21.0": "./no_assembler.ts" } };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
  const worker = new URL("src/kvm/vcpu_worker.ts", project).href;
  for (const [source, target] of [["./entry.ts", "agent.js"], [worker, "vcpu_worker.js"]]) {
    const options = ["--config", "deno.json", "--no-lock", "--platform=deno", "--quiet"];
    await run(deno, ["bundle", ...options, "-o", target, source], {
      cwd: folder,
      env: { NO_COLOR: "1" },
    });
  }
  await renameWorker(`${folder}/agent.js`, guests);
  for (const name of ["entry.ts", "no_assembler.ts", "deno.json"]) {
    await Deno.remove(`${folder}/${name}`);
  }
}

/** Makes the agent start the bundled thread of a vCPU, which it would start as TypeScript. */
async function renameWorker(path: string, guests: URL): Promise<void> {
  const parts = (await Deno.readTextFile(path)).split('"./vcpu_worker.ts"');
  if (parts.length !== 2) {
    throw new LabError(
      `the bundle of ${guests.pathname} starts ${parts.length - 1} kinds of threads, not one`,
    );
  }
  await Deno.writeTextFile(path, parts.join('"./vcpu_worker.js"'));
}
