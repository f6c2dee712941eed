/**
 * A kernel laid out in memory as its PVH entry expects it, so that no boot loader and no
 * decompression is needed (Documentation/arch/x86/booting of Xen's PVH ABI: hvm_start_info).
 */
import type { Elf } from "./elf.ts";
import { LabError } from "./error.ts";

/** A range of physical memory. */
export interface MemoryRange {
  readonly address: number;
  readonly size: number;
  readonly type: "usable" | "reserved" | "acpi";
}

/** What to lay out. */
export interface PvhBoot {
  readonly kernel: Elf;
  readonly initramfs: Uint8Array<ArrayBuffer>;
  readonly commandLine: string;
  /** The machine's memory map, ascending. */
  readonly memory: readonly MemoryRange[];
}

/** Memory from `address` on, and where to start. */
export interface PvhImage {
  /** Physical address of the first byte; a multiple of 4096. */
  readonly address: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Physical address of the kernel's 32-bit entry. */
  readonly entry: number;
  /** Physical address of the start info, which EBX has at the entry. */
  readonly startInfo: number;
}

const START_INFO_MAGIC = 0x336ec578;
const START_INFO_VERSION = 1;
const rangeTypes = { usable: 1, reserved: 2, acpi: 3 } as const;

const MEGABYTE = 0x100000;
// Where things lie in the page of the start info.
const MODULE_LIST = 0x100;
const MEMORY_MAP = 0x200;
const MEMORY_MAP_ENTRY = 24;
const COMMAND_LINE = 0x800;
const PAGE_SIZE = 0x1000;

/**
 * Lays out the kernel where it is linked to, behind it the start info, and then the initramfs.
 *
 * @throws {ElfError} when the kernel's file is damaged.
 * @throws {LabError} when the kernel has no PVH entry, the command line is too long, or the memory
 * too small.
 */
export function layOutPvh({ kernel, initramfs, commandLine, memory }: PvhBoot): PvhImage {
  const entry = kernel.pvhEntry();
  if (entry === undefined) {
    throw new LabError(
      "the kernel has no PVH entry, by which this lab starts it: build it with CONFIG_PVH=y",
    );
  }
  const segments = kernel.segments();
  const start = Math.min(...segments.map(({ address }) => address));
  const end = Math.max(...segments.map(({ address, memorySize }) => address + memorySize));
  const startInfo = Math.ceil(end / MEGABYTE) * MEGABYTE;
  const archive = startInfo + MEGABYTE;
  checkRoom(memory, start, archive + initramfs.length);
  const bytes = new Uint8Array(archive + initramfs.length - start);
  for (const segment of segments) bytes.set(segment.bytes, segment.address - start);
  bytes.set(
    startInfoPage(startInfo, archive, initramfs.length, commandLine, memory),
    startInfo - start,
  );
  bytes.set(initramfs, archive - start);
  return { address: start, bytes, entry, startInfo };
}

function checkRoom(memory: readonly MemoryRange[], start: number, end: number): void {
  const room = memory.find(({ type, address, size }) =>
    type === "usable" && address <= start && end <= address + size
  );
  if (room !== undefined) return;
  throw new LabError(
    `kernel and initramfs take physical memory from 0x${start.toString(16)} to ` +
      `0x${end.toString(16)}, where the lab's machine has not that much`,
  );
}

function startInfoPage(
  address: number,
  archive: number,
  archiveSize: number,
  commandLine: string,
  memory: readonly MemoryRange[],
): Uint8Array<ArrayBuffer> {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  const long = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  view.setUint32(0, START_INFO_MAGIC, true);
  view.setUint32(4, START_INFO_VERSION, true);
  view.setUint32(12, 1, true); // modules: the initramfs
  long(16, address + MODULE_LIST);
  long(24, address + COMMAND_LINE);
  long(40, address + MEMORY_MAP);
  view.setUint32(48, memory.length, true);
  long(MODULE_LIST, archive);
  long(MODULE_LIST + 8, archiveSize);
  memory.forEach((range, index) => {
    const at = MEMORY_MAP + index * MEMORY_MAP_ENTRY;
    long(at, range.address);
    long(at + 8, range.size);
    view.setUint32(at + 16, rangeTypes[range.type], true);
  });
  const text = new TextEncoder().encode(`${commandLine}\0`);
  if (text.length > PAGE_SIZE - COMMAND_LINE) {
    throw new LabError(
      `the kernel's command line has ${text.length} bytes and room is for ` +
        `${PAGE_SIZE - COMMAND_LINE}: give patterns that choose fewer cases, or fewer parameters`,
    );
  }
  page.set(text, COMMAND_LINE);
  return page;
}
