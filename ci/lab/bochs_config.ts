/** The configuration file of Bochs, and what the kernel has to be told of the machine. */
import { IMAGE_ADDRESS } from "./bochs_boot.ts";
import { LabError } from "./error.ts";
import type { MemoryRange } from "./pvh.ts";

/** The files that a machine has, by their paths. */
export interface BochsFiles {
  readonly image: string;
  readonly floppy: string;
  readonly console: string;
  readonly channel: string;
  readonly log: string;
}

export const bios = "/usr/share/bochs/BIOS-bochs-latest";
export const videoBios = "/usr/share/bochs/VGABIOS-lgpl-latest";

/** Megabytes of the machine: the initramfs twice, while it is unpacked, and the suite. */
const MEMORY = 1024;
/** Instructions in a second of the machine's time, whatever the host takes for them. */
const INSTRUCTIONS_PER_SECOND = 20_000_000;
/** Ticks of Debian's kernels in a second (CONFIG_HZ). */
const HZ = 250;

/** The first of Bochs's models with EPT, unrestricted guest and nested VMX that KVM works on. */
const MODEL = "corei7_haswell_4770";

/** The configuration of a machine. */
export function bochsConfig(files: BochsFiles): string {
  for (const path of Object.values(files)) {
    if (!/["\n]/.test(path)) continue;
    throw new LabError(
      `Bochs cannot be told the path ${path}: set TMPDIR and XDG_CACHE_HOME to folders without ` +
        "quotation marks in their names",
    );
  }
  return [
    "plugin_ctrl: unmapped=true, biosdev=true, extfpuirq=true, serial=true, speaker=false, " +
    "parallel=false, gameport=false, iodebug=false",
    "config_interface: textconfig",
    // Nobody looks on, and nobody is waited for.
    'display_library: rfb, options="timeout=0"',
    `memory: guest=${MEMORY}, host=${MEMORY}`,
    `romimage: file="${bios}"`,
    `vgaromimage: file="${videoBios}"`,
    `cpu: model=${MODEL}, count=1, ips=${INSTRUCTIONS_PER_SECOND}, reset_on_triple_fault=0, ` +
    "ignore_bad_msrs=1",
    // As fast as it goes; the date is of no use to anyone.
    "clock: sync=none, time0=1700000000",
    "pci: enabled=1, chipset=i440fx",
    "boot: floppy",
    `floppya: 1_44="${files.floppy}", status=inserted, write_protected=1`,
    "ata0: enabled=0",
    "ata1: enabled=0",
    `com1: enabled=1, mode=file, dev="${files.console}"`,
    `com2: enabled=1, mode=file, dev="${files.channel}"`,
    `optramimage1: file="${files.image}", address=0x${IMAGE_ADDRESS.toString(16)}`,
    `log: "${files.log}"`,
    // A reset of the machine is its end.
    "panic: action=fatal",
    "error: action=ignore",
    "info: action=ignore",
    "debug: action=ignore",
    "",
  ].join("\n");
}

/** The words on the kernel's command line that this machine needs. */
export const bochsCommandLine = [
  "tsc=reliable",
  // The clock that all others would be measured by is exact.
  `tsc_early_khz=${INSTRUCTIONS_PER_SECOND / 1000}`,
  `lpj=${INSTRUCTIONS_PER_SECOND / HZ}`,
  "no_timer_check",
  // A reset by a triple fault, which ends Bochs.
  "reboot=t",
].join(" ");

/** Where the BIOS puts the ACPI tables: at the end of memory. */
const ACPI_SIZE = 0x10000;

/** The machine's memory, as its BIOS tells it. */
export const bochsMemory: readonly MemoryRange[] = [
  { address: 0, size: 0x9f000, type: "usable" },
  { address: 0x9f000, size: 0x61000, type: "reserved" },
  { address: 0x100000, size: (MEMORY << 20) - ACPI_SIZE - 0x100000, type: "usable" },
  { address: (MEMORY << 20) - ACPI_SIZE, size: ACPI_SIZE, type: "acpi" },
  { address: 0xfec00000, size: 0x1000, type: "reserved" }, // the IOAPIC
  { address: 0xfee00000, size: 0x1000, type: "reserved" }, // the local APIC
  { address: 0xfffc0000, size: 0x40000, type: "reserved" }, // the BIOS
];
