/** kvm-intel's lab: Bochs's emulation of an Intel CPU with VMX. */
import { slowness } from "../../src/suite/requirement.ts";
import { bootSector, floppy, memoryImage } from "./bochs_boot.ts";
import { bios, bochsCommandLine, bochsConfig, bochsMemory, videoBios } from "./bochs_config.ts";
import { tools } from "./command.ts";
import { Elf, ElfError } from "./elf.ts";
import type { Emulator, Machine, RunningEmulator } from "./emulator.ts";
import { killEmulator, startEmulator } from "./emulator_process.ts";
import { LabError, systemReason } from "./error.ts";
import { layOutPvh, type PvhImage } from "./pvh.ts";
import { tail } from "./tail.ts";

/** Bochs, one instruction after the other. */
export const bochs: Emulator = {
  backend: "vmx",
  vendorModule: "kvm_intel",
  tools: [
    tools.bochs,
    tools.setpriv,
    { command: bios, package: "bochsbios" },
    { command: videoBios, package: "vgabios" },
  ],
  timeScale: slowness.bochs,
  bootTime: 240_000,
  // The kernel's tracer would look at every function of KVM's while it is loaded.
  dropSections: ["__mcount_loc"],
  start,
};

async function start(machine: Machine): Promise<RunningEmulator> {
  const { folder } = machine;
  const files = {
    image: `${folder}/memory`,
    floppy: `${folder}/floppy`,
    console: `${folder}/console`,
    channel: `${folder}/channel`,
    log: `${folder}/bochs.log`,
  };
  const image = await layOut(machine);
  await writeFile(files.image, memoryImage(image));
  await writeFile(files.floppy, [floppy(bootSector(image))]);
  for (const path of [files.console, files.channel, files.log]) await writeFile(path, []);
  await writeFile(`${folder}/bochsrc`, [new TextEncoder().encode(bochsConfig(files))]);
  // Debian's Bochs has its debugger in it, which waits for a word.
  await writeFile(`${folder}/debugger`, [new TextEncoder().encode("continue\n")]);
  const args = ["-q", "-rc", `${folder}/debugger`, "-f", `${folder}/bochsrc`];
  const child = startEmulator(tools.bochs, args, "null");
  const ended = describeEnd(child, files.log);
  return {
    console: tail(files.console, ended),
    channel: tail(files.channel, ended),
    ended,
    kill: () => killEmulator(child),
  };
}

async function layOut(machine: Machine): Promise<PvhImage> {
  const { vmlinux } = machine.kernel;
  try {
    return layOutPvh({
      kernel: new Elf(await Deno.readFile(vmlinux)),
      initramfs: await Deno.readFile(machine.initramfs),
      commandLine: `${machine.commandLine} ${bochsCommandLine}`,
      memory: bochsMemory,
    });
  } catch (error) {
    if (error instanceof ElfError) throw new LabError(`the kernel is damaged: ${error.message}`);
    throw error;
  }
}

async function writeFile(path: string, parts: readonly Uint8Array[]): Promise<void> {
  try {
    using file = await Deno.open(path, { write: true, create: true, truncate: true });
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
    }
  } catch (error) {
    throw new LabError(
      `${path} cannot be written: ${systemReason(error)}; TMPDIR says where labs have their files`,
    );
  }
}

/** Its exit status says nothing: what it panicked with is in its log. */
async function describeEnd(child: Deno.ChildProcess, log: string): Promise<string> {
  const { signal } = await child.status;
  if (signal !== null) return `it was ended by ${signal}`;
  const text = await Deno.readTextFile(log).catch(() => "");
  const panic = text.split("\n").findLast((line) => line.includes(">>PANIC<<"));
  const reason = panic?.replace(/^.*>>PANIC<<\s*/, "");
  if (reason === undefined) return "it ended";
  return /3rd .*no resolution/.test(reason) ? "the machine was reset" : `it ended: ${reason}`;
}
