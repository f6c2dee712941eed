import { LabError, systemReason } from "./error.ts";

/** How many entries of a kind stay: kernels and images have 40 to 110 megabytes, the rest little. */
const KEPT: Readonly<Record<string, number>> = { kernels: 6, vmlinux: 6, images: 8 };
const KEPT_OF_OTHERS = 40;
/** After how many milliseconds what a killed process was building is litter. */
const LITTER_AGE = 3_600_000;

/** What a disk that is not full has room for, in bytes. */
const PROBE_SIZE = 1 << 20;

type Build = (folder: string) => void | Promise<void>;

/**
 * What takes time to make, kept under a key of its contents: kernels, suites, initramfs images.
 *
 * An entry is a folder. It appears at once and whole, so that several runs may share the cache.
 */
export class Cache {
  /** Where it is. */
  readonly folder: string;

  /** @param folder made when the first entry is */
  constructor(folder: string = defaultFolder()) {
    this.folder = folder;
  }

  /** The path of an entry that is there, which counts as used now. */
  find(kind: string, key: string): string | undefined {
    const path = `${this.folder}/${kind}/${key}`;
    try {
      Deno.utimeSync(path, new Date(), new Date());
      return path;
    } catch {
      return undefined;
    }
  }

  /** The keys of a kind. */
  keys(kind: string): string[] {
    try {
      return [...Deno.readDirSync(`${this.folder}/${kind}`)].map(({ name }) => name)
        .filter((name) => !name.startsWith("."));
    } catch {
      return [];
    }
  }

  /**
   * The path of an entry, built if it is not there; of its kind, the longest unused ones go.
   *
   * @param build fills an empty folder
   * @throws {LabError} when the cache cannot be written.
   */
  async entry(kind: string, key: string, build: Build): Promise<string> {
    return this.find(kind, key) ?? await this.#build(kind, build, () => Promise.resolve(key));
  }

  /**
   * The path of an entry that has to be built to know what it is; if it is there already, what was
   * built goes.
   *
   * @param build fills an empty folder
   * @param keyOf gives the key of what was built
   * @throws {LabError} when the cache cannot be written.
   */
  async built(
    kind: string,
    build: Build,
    keyOf: (folder: string) => Promise<string>,
  ): Promise<string> {
    return await this.#build(kind, build, keyOf);
  }

  async #build(
    kind: string,
    build: Build,
    keyOf: (folder: string) => Promise<string>,
  ): Promise<string> {
    const parent = `${this.folder}/${kind}`;
    let unfinished: string | undefined;
    try {
      Deno.mkdirSync(parent, { recursive: true });
      unfinished = Deno.makeTempDirSync({ dir: parent, prefix: "." });
      await build(unfinished);
      const key = await keyOf(unfinished);
      if (this.find(kind, key) === undefined) {
        try {
          Deno.renameSync(unfinished, `${parent}/${key}`);
          unfinished = undefined;
        } catch (error) {
          // Another run was faster.
          if (this.find(kind, key) === undefined) throw error;
        }
      }
      prune(parent, key, KEPT[kind] ?? KEPT_OF_OTHERS);
      return `${parent}/${key}`;
    } catch (error) {
      // A command that runs out of space says so in its own words, if at all.
      const reason = error instanceof LabError ? diskProblem(parent) : systemReason(error);
      if (reason === undefined) throw error;
      throw new LabError(
        `the cache ${this.folder} cannot be written: ${reason}; XDG_CACHE_HOME says where it is`,
      );
    } finally {
      if (unfinished !== undefined) remove(unfinished);
    }
  }
}

function defaultFolder(): string {
  const home = Deno.env.get("HOME") ?? "/tmp";
  return `${Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`}/trapline`;
}

/** Why a folder cannot be written to, if it cannot. */
function diskProblem(folder: string): string | undefined {
  const probe = `${folder}/.probe-${crypto.randomUUID()}`;
  try {
    Deno.writeFileSync(probe, new Uint8Array(PROBE_SIZE));
  } catch (error) {
    return systemReason(error);
  } finally {
    remove(probe);
  }
}

function prune(parent: string, key: string, kept: number): void {
  const entries = [...Deno.readDirSync(parent)].flatMap(({ name }) => {
    try {
      return [{ name, used: Deno.statSync(`${parent}/${name}`).mtime?.getTime() ?? 0 }];
    } catch {
      return [];
    }
  });
  const finished = entries.filter(({ name }) => name !== key && !name.startsWith("."));
  finished.sort((a, b) => b.used - a.used);
  const litter = entries.filter(({ name, used }) =>
    name.startsWith(".") && Date.now() - used > LITTER_AGE
  );
  for (const { name } of [...finished.slice(kept - 1), ...litter]) remove(`${parent}/${name}`);
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // Another run removes it too.
  }
}

/** The key of contents: 16 hexadecimal digits of SHA-256 over the parts and their boundaries. */
export async function contentKey(
  parts: readonly (string | Uint8Array<ArrayBuffer>)[],
): Promise<string> {
  const encoder = new TextEncoder();
  const digests = await Promise.all(
    parts.map((part) =>
      crypto.subtle.digest("SHA-256", typeof part === "string" ? encoder.encode(part) : part)
    ),
  );
  const joined = new Uint8Array(digests.length * 32);
  digests.forEach((digest, index) => joined.set(new Uint8Array(digest), index * 32));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
