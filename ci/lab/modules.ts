/** The kernel modules that a lab loads: found, checked, stripped, in the order of loading. */
import { type Cache, contentKey } from "./cache.ts";
import { run, tools } from "./command.ts";
import { decompress } from "./decompress.ts";
import { Elf, ElfError } from "./elf.ts";
import { LabError, systemReason } from "./error.ts";
import type { Kernel } from "./kernel.ts";

/** A module as it goes into the lab. */
export interface Module {
  /** Its name with `_`, as the kernel spells it. */
  readonly name: string;
  /** The file, stripped. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The names of its parameters. */
  readonly parameters: readonly string[];
}

/** What a module says of itself. */
export interface ModuleInfo {
  readonly name: string;
  /** The release it was built for. */
  readonly release: string;
  /** The modules it needs. */
  readonly depends: readonly string[];
  readonly parameters: readonly string[];
}

/**
 * Reads the `.modinfo` section of a module.
 *
 * @param path for messages
 * @throws {LabError} when the bytes are no kernel module.
 */
export function parseModule(path: string, bytes: Uint8Array<ArrayBuffer>): ModuleInfo {
  let section: Uint8Array | undefined;
  try {
    section = new Elf(bytes).section(".modinfo");
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    throw new LabError(`${path} is no kernel module: ${error.message}`);
  }
  const fields = new TextDecoder().decode(section).split("\0").filter((field) => field !== "");
  const all = (name: string) =>
    fields.filter((field) => field.startsWith(`${name}=`))
      .map((field) => field.slice(name.length + 1));
  const [vermagic] = all("vermagic");
  if (vermagic === undefined) {
    throw new LabError(`${path} is no kernel module: it does not say for which kernel it is`);
  }
  return {
    name: kernelName(all("name")[0] ?? path.replace(/^.*\/|\.ko.*$/g, "")),
    release: vermagic.split(" ")[0],
    depends: (all("depends")[0] ?? "").split(",").filter((name) => name !== "").map(kernelName),
    parameters: all("parmtype").map((parameter) => parameter.split(":")[0]),
  };
}

function kernelName(name: string): string {
  return name.replaceAll("-", "_");
}

/**
 * The modules that the lab's KVM consists of; none where the kernel has it built in.
 *
 * @param vendor `kvm_amd` or `kvm_intel`
 * @param sources files, and folders such as a kernel's build tree, that come before the kernel's own
 * @param drop sections that the emulator's lab is faster without
 * @throws {LabError} when a module is missing, damaged, or built for another kernel.
 */
export async function labModules(
  cache: Cache,
  kernel: Kernel,
  vendor: string,
  sources: readonly string[],
  drop: readonly string[] = [],
): Promise<Module[]> {
  const places = [...sources, ...kernel.modules === undefined ? [] : [kernel.modules]];
  const loaded = new Map<string, Module>();
  const load = async (name: string): Promise<void> => {
    if (loaded.has(name)) return;
    const path = findModule(places, name);
    if (path === undefined) {
      if (kernel.modules === undefined && name !== vendor) return;
      throw new LabError(missingModule(name, places));
    }
    const bytes = await readModule(path);
    const info = parseModule(path, bytes);
    if (info.release !== kernel.release) {
      throw new LabError(
        `${path} was built for the kernel ${info.release}, and ${kernel.bzImage} is ` +
          `${kernel.release}: build it against that one`,
      );
    }
    for (const dependency of info.depends) await load(dependency);
    const stripped = await strip(cache, bytes, drop);
    loaded.set(name, { name, bytes: stripped, parameters: info.parameters });
  };
  if (places.length > 0) await load(vendor);
  return [...loaded.values()];
}

function missingModule(name: string, places: readonly string[]): string {
  const file = `${name.replaceAll("_", "-")}.ko`;
  return `there is no ${file} in ${places.join(", ")}: build it (CONFIG_KVM=m), or leave ` +
    "--modules out where the kernel has it built in";
}

const suffixes = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];
/** Where a kernel's tree and its installed modules have those of KVM, so that few are looked at. */
const usual = ["", "arch/x86/kvm/", "virt/lib/", "kernel/arch/x86/kvm/", "kernel/virt/lib/"];

function findModule(places: readonly string[], name: string): string | undefined {
  const names = [name, name.replaceAll("_", "-")];
  const files = names.flatMap((name) => suffixes.map((suffix) => name + suffix));
  for (const place of places) {
    if (!isFolder(place)) {
      if (files.includes(place.replace(/^.*\//, ""))) return place;
      continue;
    }
    const folder = place.replace(/\/*$/, "/");
    for (const below of usual) {
      const file = files.find((file) => isFile(folder + below + file));
      if (file !== undefined) return folder + below + file;
    }
    const found = search(folder, new Set(files));
    if (found !== undefined) return found;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    throw new LabError(`--modules ${path}: ${systemReason(error)}`);
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function search(folder: string, files: ReadonlySet<string>): string | undefined {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch {
    return undefined;
  }
  for (const { name, isFile } of entries) if (isFile && files.has(name)) return folder + name;
  for (const { name, isDirectory } of entries) {
    if (!isDirectory || name.startsWith(".")) continue;
    const found = search(`${folder}${name}/`, files);
    if (found !== undefined) return found;
  }
}

async function readModule(path: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new LabError(`the module ${path} cannot be read: ${systemReason(error)}`);
  }
  return path.endsWith(".ko") ? bytes : await decompress(path, bytes);
}

/** A module without debug data and without its signature, which it does not need to be loaded. */
async function strip(
  cache: Cache,
  bytes: Uint8Array<ArrayBuffer>,
  drop: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const sections = [".BTF", ".BTF.base", ...drop];
  const key = await contentKey([bytes, sections.join(" ")]);
  const folder = await cache.entry("modules", key, async (folder) => {
    const whole = `${folder}/whole.ko`;
    await Deno.writeFile(whole, bytes);
    const removed = sections.flatMap((section) => ["-R", section]);
    await run(tools.objcopy, ["-g", ...removed, whole, `${folder}/module.ko`]);
    await Deno.remove(whole);
  });
  return await Deno.readFile(`${folder}/module.ko`);
}

/** A parameter of a module, as the command line gives it. */
export interface Parameter {
  /** The module it is one of. */
  readonly module: string;
  /** `name=value`. */
  readonly text: string;
}

/**
 * Says which module each parameter is one of; `module.name=value` names it itself.
 *
 * Where KVM is built in nothing is known of its parameters: they are taken as the vendor's.
 *
 * @throws {LabError} when a parameter is malformed, or one that no module has.
 */
export function routeParameters(
  modules: readonly Module[],
  vendor: string,
  parameters: readonly string[],
): Parameter[] {
  return parameters.map((parameter) => {
    const match = /^(?:([a-z_-]+)\.)?([a-z0-9_]+)=([^\s"]+)$/.exec(parameter);
    if (match === null) {
      throw new LabError(`--params ${parameter} is not name=value`, { usage: true });
    }
    const [, named, name, value] = match;
    const text = `${name}=${value}`;
    if (modules.length === 0) return { module: kernelName(named ?? vendor), text };
    const candidates = modules.filter((module) =>
      (named === undefined || module.name === kernelName(named)) &&
      module.parameters.includes(name)
    );
    // Of two modules that have it, the vendor's is the last to be loaded.
    const module = candidates.at(-1);
    if (module === undefined) {
      throw new LabError(
        `--params ${parameter}: neither ${modules.map(({ name }) => name).join(" nor ")} has it`,
        { usage: true },
      );
    }
    return { module: module.name, text };
  });
}
