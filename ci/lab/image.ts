/** The file system that a lab boots with: busybox, Deno, KVM's modules, the suite. */
import { type Cache, contentKey } from "./cache.ts";
import { findCommand, run, tools } from "./command.ts";
import { Archive } from "./cpio.ts";
import { LabError, systemReason } from "./error.ts";
import { initScript } from "./init_script.ts";
import type { Module } from "./modules.ts";
import type { SuiteBundle } from "./suite.ts";

/** Where the lab has Deno's folder, in which V8's code cache is. */
const DENO_DIR = "deno-dir";

/**
 * The initramfs with these modules and this suite, built if the cache does not have it.
 *
 * @returns its path
 * @throws {LabError} when a part of it is missing, or the cache cannot be written.
 */
export async function labImage(
  cache: Cache,
  suite: SuiteBundle,
  modules: readonly Module[],
): Promise<string> {
  const programs = await hostPrograms();
  const init = initScript(modules.map(({ name }) => name), `${suite.folder}/agent.js`, DENO_DIR);
  const key = await contentKey([
    init,
    suite.key,
    suite.folder,
    suite.denoDir,
    ...programs.flatMap(({ source, inside }) => [inside, identity(source)]),
    ...modules.flatMap(({ name, bytes }) => [name, bytes]),
  ]);
  const folder = await cache.entry("images", key, (folder) => {
    const archive = new Archive();
    for (const name of ["dev", "proc", "sys", "tmp"]) archive.add(name, { kind: "folder" });
    archive.add("init", file(new TextEncoder().encode(init)));
    for (const { source, inside } of programs) archive.add(inside, file(readFile(source)));
    for (const { name, bytes } of modules) archive.add(`modules/${name}.ko`, file(bytes));
    addFolder(archive, suite.folder, suite.folder.slice(1));
    addFolder(archive, suite.denoDir, DENO_DIR);
    writeAll(`${folder}/initramfs`, archive.finish());
  });
  return `${folder}/initramfs`;
}

interface Program {
  readonly source: string;
  /** Its path in the lab, without the slash at its beginning. */
  readonly inside: string;
}

/** Deno with the libraries it is linked with, and busybox. */
async function hostPrograms(): Promise<Program[]> {
  const deno = Deno.realPathSync(Deno.execPath());
  const linked = new TextDecoder().decode(await run(tools.ldd, [deno]));
  const libraries = [...linked.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
  return [
    { source: findCommand(tools.busybox.command)!, inside: "bin/busybox" },
    { source: deno, inside: "bin/deno" },
    ...libraries.map((path) => ({ source: path, inside: path.slice(1) })),
  ];
}

/** A file's identity, for what is too large to be read anew each time. */
function identity(path: string): string {
  const { size, mtime, ino } = Deno.statSync(path);
  return `${Deno.realPathSync(path)} ${size} ${mtime?.getTime()} ${ino}`;
}

function file(bytes: Uint8Array): { kind: "file"; bytes: Uint8Array; executable: true } {
  return { kind: "file", bytes, executable: true };
}

function readFile(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    throw new LabError(`${path} cannot be read: ${systemReason(error)}`);
  }
}

function addFolder(archive: Archive, folder: string, inside: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    const target = `${inside}/${name}`;
    if (isDirectory) addFolder(archive, path, target);
    else archive.add(target, file(Deno.readFileSync(path)));
  }
}

function writeAll(path: string, pieces: readonly Uint8Array[]): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
  }
}
