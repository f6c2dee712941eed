import type { Case } from "./case.ts";

/** A case and the file that defines it. */
export interface CatalogueEntry {
  /** The case. */
  readonly case: Case;
  /** URL of the file. */
  readonly file: string;
}

/** Thrown when a folder of cases cannot be read as one. */
export class CatalogueError extends Error {
  /** The class's name. */
  override readonly name = "CatalogueError";
}

/**
 * Loads every case below a folder: one folder an area, one file a case or a table of variations.
 * Files and folders whose name starts with `_` or `.` are not cases.
 *
 * @param folder URL of the folder, with a slash at its end
 * @returns the cases by id
 * @throws {CatalogueError} when the folder cannot be read, holds no case, or a file exports none or
 * one whose id is not its path.
 */
export async function loadCatalogue(folder: URL): Promise<CatalogueEntry[]> {
  const paths = listFiles(folder, "");
  const modules = await importAll(paths.map((path) => new URL(path, folder).href), paths);
  const entries = paths.flatMap((path, index) => casesOf(folder, path, modules[index]));
  if (entries.length === 0) throw new CatalogueError(`${folder.pathname} holds no case`);
  const seen = new Map<string, string>();
  for (const { case: { id }, file } of entries) {
    if (seen.has(id)) throw new CatalogueError(`${id} is defined in ${seen.get(id)} and ${file}`);
    seen.set(id, file);
  }
  return entries.sort((a, b) => a.case.id < b.case.id ? -1 : 1);
}

/**
 * Loads the cases of files that {@link loadCatalogue} has found.
 *
 * @param files their URLs
 * @throws {CatalogueError} when one cannot be loaded.
 */
export async function loadFiles(files: readonly string[]): Promise<CatalogueEntry[]> {
  const modules = await importAll(files, files);
  return modules.flatMap(({ default: exported = [] }, index) =>
    ([exported].flat() as readonly Case[]).map((one) => ({ case: one, file: files[index] }))
  );
}

function listFiles(folder: URL, below: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(new URL(below, folder))];
  } catch (error) {
    throw new CatalogueError(`the folder of cases cannot be read: ${(error as Error).message}`);
  }
  return entries.flatMap(({ name, isDirectory }) => {
    if (/^[_.]/.test(name)) return [];
    if (isDirectory) return listFiles(folder, `${below}${name}/`);
    return name.endsWith(".ts") ? [below + name] : [];
  });
}

/** What a file of cases exports. */
interface CaseModule {
  readonly default?: Case | readonly Case[];
}

/**
 * Imports files through one module that names them all: three times as fast as one by one, since
 * what they share is looked at once.
 */
async function importAll(
  files: readonly string[],
  names: readonly string[],
): Promise<CaseModule[]> {
  const imports = files.map((file, index) => `import * as m${index} from ${JSON.stringify(file)};`);
  const exported = `export default [${files.map((_, index) => `m${index}`).join(", ")}];`;
  const source = new Blob([imports.join("\n"), exported], { type: "text/javascript" });
  const url = URL.createObjectURL(source);
  try {
    return (await import(url)).default;
  } catch {
    // One of them is wrong: one by one, to say which.
    return await Promise.all(files.map((file, index) => importOne(file, names[index])));
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function importOne(file: string, path: string): Promise<CaseModule> {
  try {
    return await import(file);
  } catch (error) {
    throw new CatalogueError(`${path} cannot be loaded: ${(error as Error).message}`);
  }
}

function casesOf(folder: URL, path: string, exported: CaseModule): CatalogueEntry[] {
  const file = new URL(path, folder).href;
  const cases = [exported.default ?? []].flat() as readonly Case[];
  if (cases.length === 0) {
    throw new CatalogueError(`${path} exports no case: end it with export default defineCase(...)`);
  }
  return cases.map((definition) => {
    const named = definition.id?.replace(/~.*/, "");
    if (named !== path.replace(/\.ts$/, "")) {
      throw new CatalogueError(`${path} defines ${definition.id}: path and id have to agree`);
    }
    return { case: definition, file };
  });
}

/**
 * Chooses the cases that match any of the patterns: a part of the id, or the whole of it where the
 * pattern has a `*`, which stands for anything. No pattern chooses all.
 */
export function selectCases(
  entries: readonly CatalogueEntry[],
  patterns: readonly string[],
): CatalogueEntry[] {
  if (patterns.length === 0) return [...entries];
  const tests = patterns.map((pattern) => {
    if (!pattern.includes("*")) return (id: string) => id.includes(pattern);
    const escaped = pattern.split("*").map((part) => part.replace(/[^\w]/g, "\\$&"));
    const whole = new RegExp(`^${escaped.join(".*")}$`);
    return (id: string) => whole.test(id);
  });
  return entries.filter((entry) => tests.some((test) => test(entry.case.id)));
}
