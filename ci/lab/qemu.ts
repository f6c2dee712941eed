/** kvm-amd's lab: QEMU's emulation of an AMD CPU with SVM. */
import { slowness } from "../../src/suite/requirement.ts";
import { tools } from "./command.ts";
import type { Emulator, Machine, RunningEmulator } from "./emulator.ts";
import { killEmulator, startEmulator } from "./emulator_process.ts";
import { tail } from "./tail.ts";

/** Megabytes of the machine: the initramfs twice, while it is unpacked, and the suite. */
const MEMORY = 1024;

/** QEMU's own words on the kernel's command line. */
const commandLine = [
  // Two emulated CPUs may disagree a little, and both are good enough.
  "tsc=reliable",
  "no_timer_check",
  // The loop would be measured against a clock that the host's load slows down.
  "lpj=4000000",
];

/** QEMU with TCG, its emulation of a CPU. */
export const qemu: Emulator = {
  backend: "svm",
  vendorModule: "kvm_amd",
  tools: [tools.qemu, tools.setpriv],
  timeScale: slowness["qemu-tcg"],
  bootTime: 120_000,
  dropSections: [],
  start,
};

async function start(machine: Machine): Promise<RunningEmulator> {
  const console = `${machine.folder}/console`;
  const channel = `${machine.folder}/channel`;
  for (const path of [console, channel]) await Deno.writeFile(path, new Uint8Array());
  const child = startEmulator(tools.qemu, commandArguments(machine, console, channel), "piped");
  const ended = describeEnd(child);
  // The channel is looked at first: a case is said to begin before the kernel complains of it.
  return {
    channel: tail(channel, ended),
    console: tail(console, ended),
    ended,
    kill: () => killEmulator(child),
  };
}

function commandArguments(machine: Machine, console: string, channel: string): string[] {
  const { kernel, initramfs, cpus } = machine;
  const port = (name: string, path: string) =>
    [
      ["-chardev", `file,id=${name},path=${path.replaceAll(",", ",,")}`],
      ["-serial", `chardev:${name}`],
    ].flat();
  return [
    // Several threads would patch each other's code under way: the kernel oopses on an int3.
    ["-accel", "tcg,thread=single,tb-size=512"],
    ["-cpu", "max,+svm"],
    ["-m", `${MEMORY}`],
    ["-smp", `${cpus}`],
    ["-nodefaults", "-no-user-config", "-no-reboot"],
    ["-display", "none"],
    // Through the PVH entry the kernel need not decompress itself.
    ["-kernel", kernel.pvhEntry === undefined ? kernel.bzImage : kernel.vmlinux],
    ["-initrd", initramfs],
    ["-append", [machine.commandLine, ...commandLine].join(" ")],
    port("console", console),
    port("channel", channel),
  ].flat();
}

async function describeEnd(child: Deno.ChildProcess): Promise<string> {
  const complaint = await new Response(child.stderr).text().catch(() => "");
  const { code, signal } = await child.status;
  const how = signal === null ? `it ended with ${code}` : `it was ended by ${signal}`;
  const line = complaint.trim().split("\n").at(-1);
  return line ? `${how}: ${line}` : how;
}
