/** Kernels, modules and emulators for the tests of labs: small ones that only look the part. */
import type { Emulator, Machine, RunningEmulator } from "../ci/lab/emulator.ts";
import { findCommand } from "../ci/lab/command.ts";

/** Parts of a 64-bit ELF file. */
export interface ElfParts {
  /** Loaded parts, and one of notes, one after the other. */
  readonly segments?: readonly { readonly type: number; readonly bytes: Uint8Array }[];
  readonly sections?: Readonly<Record<string, string>>;
}

/** Builds an ELF file: header, segments, sections. */
export function elfFile({ segments = [], sections = {} }: ElfParts): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const names = ["", ...Object.keys(sections), ".shstrtab"];
  const table = names.map((name) => `${name}\0`).join("");
  const contents = ["", ...Object.values(sections), table].map((text) => encoder.encode(text));
  const headers = 64 + 56 * segments.length;
  let size = headers;
  const place = (bytes: Uint8Array) => {
    const at = size;
    size += (bytes.length + 7) & ~7;
    return at;
  };
  const segmentAt = segments.map(({ bytes }) => place(bytes));
  const sectionAt = contents.map(place);
  const tableAt = size;
  const file = new Uint8Array(tableAt + 64 * names.length);
  const view = new DataView(file.buffer);
  file.set(encoder.encode("\x7fELF"));
  file.set([2, 1, 1], 4);
  view.setUint16(16, segments.length > 0 ? 2 : 1, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setUint16(52, 64, true);
  view.setBigUint64(32, 64n, true);
  view.setBigUint64(40, BigInt(tableAt), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, names.length, true);
  view.setUint16(62, names.length - 1, true);
  segments.forEach(({ type, bytes }, index) => {
    const header = 64 + 56 * index;
    view.setUint32(header, type, true);
    view.setBigUint64(header + 8, BigInt(segmentAt[index]), true);
    view.setBigUint64(header + 24, 0x1000000n, true);
    view.setBigUint64(header + 32, BigInt(bytes.length), true);
    view.setBigUint64(header + 40, BigInt(bytes.length + 4096), true);
    file.set(bytes, segmentAt[index]);
  });
  names.forEach((name, index) => {
    const header = tableAt + 64 * index;
    view.setUint32(header, table.indexOf(`${name}\0`), true);
    if (index === 0) return;
    const isTable = index === names.length - 1;
    view.setUint32(header + 4, isTable ? 3 : 1, true);
    view.setBigUint64(header + 8, isTable ? 0n : 2n, true);
    view.setBigUint64(header + 48, 1n, true);
    view.setBigUint64(header + 24, BigInt(sectionAt[index]), true);
    view.setBigUint64(header + 32, BigInt(contents[index].length), true);
    file.set(contents[index], sectionAt[index]);
  });
  return file;
}

/** A note as an ELF file has it. */
export function elfNote(name: string, type: number, value: readonly number[]): Uint8Array {
  const aligned = (size: number) => (size + 3) & ~3;
  const bytes = new Uint8Array(12 + aligned(name.length + 1) + aligned(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length + 1, true);
  view.setUint32(4, value.length, true);
  view.setUint32(8, type, true);
  bytes.set(new TextEncoder().encode(name), 12);
  bytes.set(value, 12 + aligned(name.length + 1));
  return bytes;
}

/** Address of the PVH entry of {@link kernelElf}. */
export const PVH_ENTRY = 0x1000a30;

/** A kernel, decompressed. */
export function kernelElf(): Uint8Array<ArrayBuffer> {
  const other = elfNote("Linux", 18, [9, 9, 9, 9]);
  const entry = elfNote("Xen", 18, [0x30, 0x0a, 0x00, 0x01, 0, 0, 0, 0]);
  const notes = new Uint8Array(other.length + entry.length);
  notes.set(other);
  notes.set(entry, other.length);
  return elfFile({
    segments: [{ type: 1, bytes: Uint8Array.of(0xf4) }, { type: 4, bytes: notes }],
  });
}

/** What a bzImage is made of; each part can be made wrong. */
export interface BzImageParts {
  readonly release?: string;
  readonly payload?: Uint8Array;
  readonly magic?: string;
  readonly protocol?: number;
  /** Bytes cut off at the end. */
  readonly cut?: number;
}

/** Builds a bzImage with a compressed kernel in it. */
export async function bzImage(parts: BzImageParts = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { release = "6.9.0-test", magic = "HdrS", protocol = 0x20f, cut = 0 } = parts;
  const payload = parts.payload ?? await gzip(kernelElf());
  const setup = 1024;
  const before = 32;
  const file = new Uint8Array(setup + before + payload.length);
  const view = new DataView(file.buffer);
  file[0x1f1] = setup / 512 - 1;
  view.setUint16(0x1fe, 0xaa55, true);
  file.set(new TextEncoder().encode(magic), 0x202);
  view.setUint16(0x206, protocol, true);
  view.setUint16(0x20e, 0x100, true);
  file.set(new TextEncoder().encode(`${release} (someone@somewhere) #1 SMP\0`), 0x300);
  view.setUint32(0x248, before, true);
  view.setUint32(0x24c, payload.length, true);
  file.set(payload, setup + before);
  return file.slice(0, file.length - cut);
}

/** Compresses bytes. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A kernel module that only says what it is; `objcopy` takes it for one. */
export function moduleFile(fields: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const modinfo = Object.entries(fields).map(([name, value]) => `${name}=${value}\0`).join("");
  return elfFile({ sections: { ".modinfo": modinfo } });
}

/** Registers a test that takes commands of the host; it is ignored, naming them, without. */
export function toolTest(
  name: string,
  commands: readonly string[],
  fn: () => void | Promise<void>,
): void {
  const missing = commands.filter((command) => findCommand(command) === undefined);
  const ignore = missing.length > 0;
  Deno.test({ name: ignore ? `${name} (needs ${missing.join(", ")})` : name, ignore, fn });
}

/**
 * An emulator that is a shell script: it writes the channel to its standard output, the console to
 * its standard error, and finds the numbers of its cases in `$cases` and how often it was booted
 * before in `$boot`.
 */
export class ScriptEmulator implements Emulator {
  readonly backend = "svm";
  readonly vendorModule = "kvm_amd";
  readonly tools = [];
  readonly timeScale = 1;
  readonly bootTime = 1000;
  readonly dropSections = [];
  /** The processes that were started. */
  readonly pids: number[] = [];
  /** The command lines that were given. */
  readonly commandLines: string[] = [];

  /** @param script is run once a boot */
  constructor(readonly script: string) {}

  /** Starts the script. */
  start(machine: Machine): Promise<RunningEmulator> {
    const child = new Deno.Command("sh", {
      args: ["-c", this.script],
      env: { cases: machine.commandLine, boot: `${this.pids.length}` },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pids.push(child.pid);
    this.commandLines.push(machine.commandLine);
    return Promise.resolve({
      console: child.stderr,
      channel: child.stdout,
      ended: child.status.then(({ code, signal }) => signal ?? `it ended with ${code}`),
      kill() {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended.
        }
      },
    });
  }

  /** Those of its processes that are still there. */
  alive(): number[] {
    return this.pids.filter((pid) => {
      try {
        Deno.statSync(`/proc/${pid}`);
        return true;
      } catch {
        return false;
      }
    });
  }
}
