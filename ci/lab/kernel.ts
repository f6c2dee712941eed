/** The kernel that a lab boots: the newest of a Debian series, or one that the user built. */
import { type BzImage, decompressKernel, parseBzImage } from "./bzimage.ts";
import { type Cache, contentKey } from "./cache.ts";
import { run, tools } from "./command.ts";
import { Elf, ElfError } from "./elf.ts";
import { LabError, systemReason } from "./error.ts";

/** A kernel, ready to be booted. */
export interface Kernel {
  /** What `uname -r` will say. */
  readonly release: string;
  /** Its first two numbers, such as `6.12`: what baselines are named by. */
  readonly series: string;
  /** Path of the bzImage. */
  readonly bzImage: string;
  /** Path of the same kernel decompressed, an ELF file. */
  readonly vmlinux: string;
  /** Physical address of its PVH entry; `undefined` where it was built without CONFIG_PVH. */
  readonly pvhEntry?: number;
  /** The folder of its own modules; a kernel given as a path has none. */
  readonly modules?: string;
}

/** Whether `--kernel` names a Debian series, such as `6.12`, and not a file. */
export function isSeries(text: string): boolean {
  return /^\d+\.\d+$/.test(text);
}

/** What finding a kernel reports meanwhile. */
export type Progress = (step: string) => void;

/**
 * The newest cloud kernel of a Debian series that apt knows, downloaded into the cache if it is
 * not there; nothing is installed.
 *
 * @throws {LabError} when there is none, or when it cannot be had.
 */
export async function debianKernel(
  cache: Cache,
  series: string,
  progress: Progress,
): Promise<Kernel> {
  const packageName = await newestPackage(cache, series);
  const release = packageName.slice("linux-image-".length);
  const folder = await cache.entry("kernels", packageName, async (folder) => {
    progress(`downloading ${packageName}`);
    await run(tools.apt, ["download", packageName], { cwd: folder });
    const file = [...Deno.readDirSync(folder)].find(({ name }) => name.endsWith(".deb"));
    if (file === undefined) throw new LabError(`apt-get download ${packageName} brought no file`);
    progress(`unpacking ${packageName}`);
    await run(tools.dpkg, ["-x", `${folder}/${file.name}`, folder]);
    Deno.removeSync(`${folder}/${file.name}`);
  });
  const kernel = await readyKernel(cache, `${folder}/boot/vmlinuz-${release}`);
  return { ...kernel, modules: `${folder}/lib/modules/${release}` };
}

async function newestPackage(cache: Cache, series: string): Promise<string> {
  // What was downloaded before is good enough where apt knows nothing (any more).
  const names = [...await knownPackages(series), ...cache.keys("kernels")];
  const newest = newestOf(names, series);
  if (newest !== undefined) return newest;
  throw new LabError(
    `apt knows no cloud kernel of the series ${series}: run apt-get update, or name another ` +
      "series (Debian 12 has 6.1 and 6.12) or the path of a bzImage",
  );
}

async function knownPackages(series: string): Promise<string[]> {
  const names = await run(tools.aptCache, ["pkgnames", `linux-image-${series}.`]);
  return new TextDecoder().decode(names).split("\n");
}

/** The newest of the packages that are cloud kernels of a series, by the numbers in their names. */
export function newestOf(names: readonly string[], series: string): string | undefined {
  const prefix = `linux-image-${series}.`;
  const kernels = names.filter((name) =>
    name.startsWith(prefix) &&
    /^\d[^a-z]*(deb\d+[^a-z]*)?-cloud-amd64$/.test(name.slice(prefix.length))
  );
  const numeric = new Intl.Collator("en", { numeric: true });
  return kernels.sort((a, b) => numeric.compare(a, b)).at(-1);
}

/**
 * A kernel that the user built.
 *
 * @param path of its bzImage
 * @throws {LabError} when the file cannot be read, or is no bzImage.
 */
export async function ownKernel(cache: Cache, path: string): Promise<Kernel> {
  return await readyKernel(cache, path);
}

async function readyKernel(cache: Cache, path: string): Promise<Kernel> {
  const bytes = await readFile(path);
  const image = parseBzImage(path, bytes);
  const series = /^\d+\.\d+/.exec(image.release)?.[0];
  if (series === undefined) {
    throw new LabError(`${path} is of release ${JSON.stringify(image.release)}, which is none`);
  }
  const vmlinux = await decompressed(cache, path, image);
  return {
    release: image.release,
    series,
    bzImage: path,
    vmlinux,
    pvhEntry: pvhEntryOf(path, await readFile(vmlinux)),
  };
}

async function decompressed(cache: Cache, path: string, image: BzImage): Promise<string> {
  const key = await contentKey([image.payload]);
  const folder = await cache.entry("vmlinux", key, async (folder) => {
    await Deno.writeFile(`${folder}/vmlinux`, await decompressKernel(path, image));
  });
  return `${folder}/vmlinux`;
}

function pvhEntryOf(path: string, vmlinux: Uint8Array<ArrayBuffer>): number | undefined {
  try {
    return new Elf(vmlinux).pvhEntry();
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    throw new LabError(`${path} holds a damaged kernel: ${error.message}`);
  }
}

async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new LabError(`the kernel ${path} cannot be read: ${systemReason(error)}`);
  }
}
