/** A kernel laid out for its PVH entry. */
import { assertEquals, assertThrows } from "@std/assert";
import { Elf } from "../ci/lab/elf.ts";
import { LabError } from "../ci/lab/error.ts";
import { layOutPvh, type MemoryRange } from "../ci/lab/pvh.ts";
import { elfFile, type ElfSegment } from "./elf_file.ts";

const memory: MemoryRange[] = [
  { address: 0, size: 0x9f000, type: "usable" },
  { address: 0x9f000, size: 0x61000, type: "reserved" },
  { address: 0x100000, size: 0x3f00000, type: "usable" },
  { address: 0x4000000, size: 0x10000, type: "acpi" },
];

const segments: ElfSegment[] = [
  { address: 0x1000000, bytes: Uint8Array.of(1, 2, 3, 4), memorySize: 0x1000 },
  // The memory size is what matters: zeros follow.
  { address: 0x1200000, bytes: Uint8Array.of(5, 6), memorySize: 0x180000 },
];

const kernel = () => new Elf(elfFile(segments, { pvhEntry: 0x1000040 }));
const initramfs = Uint8Array.of(0x30, 0x37, 0x30, 0x37);

Deno.test("the kernel lies where it is linked to, the start info behind all its memory", () => {
  const image = layOutPvh({ kernel: kernel(), initramfs, commandLine: "quiet", memory });
  assertEquals([image.address, image.entry, image.startInfo], [0x1000000, 0x1000040, 0x1400000]);
  assertEquals(image.bytes.length, 0x1500004 - 0x1000000);
  assertEquals([...image.bytes.subarray(0, 6)], [1, 2, 3, 4, 0, 0]);
  assertEquals([...image.bytes.subarray(0x200000, 0x200004)], [5, 6, 0, 0]);
  assertEquals([...image.bytes.subarray(0x500000)], [...initramfs]);
});

Deno.test("the start info names the initramfs, the command line and the memory map", () => {
  const image = layOutPvh({ kernel: kernel(), initramfs, commandLine: "quiet a=b", memory });
  const at = (address: number) =>
    new DataView(image.bytes.buffer, image.bytes.byteOffset + address - image.address);
  const info = at(image.startInfo);
  const words = (view: DataView, count: number) =>
    Array.from({ length: count }, (_, index) => Number(view.getBigUint64(8 * index, true)));
  // struct hvm_start_info: magic, version, flags, nr_modules, modlist, cmdline, rsdp, memmap,
  // memmap_entries, reserved (include/xen/interface/hvm/start_info.h).
  assertEquals([0, 4, 8, 12].map((offset) => info.getUint32(offset, true)), [0x336ec578, 1, 0, 1]);
  const [modules, commandLine, rsdp, map, entries] = words(
    new DataView(info.buffer, info.byteOffset + 16),
    5,
  );
  assertEquals([rsdp, entries], [0, memory.length]);
  assertEquals(words(at(modules), 4), [0x1500000, initramfs.length, 0, 0]);
  const text = new Uint8Array(at(commandLine).buffer, at(commandLine).byteOffset, 10);
  assertEquals(new TextDecoder().decode(text), "quiet a=b\0");
  const types = [1, 2, 1, 3];
  const expected = memory.flatMap(({ address, size }, index) => [address, size, types[index]]);
  assertEquals(words(at(map), 3 * memory.length), expected);
});

Deno.test("a kernel without a PVH entry is told how it would have one", () => {
  const kernel = new Elf(elfFile(segments));
  assertThrows(
    () => layOutPvh({ kernel, initramfs, commandLine: "", memory }),
    LabError,
    "build it with CONFIG_PVH=y",
  );
});

Deno.test("the longest command line fits, one byte more does not", () => {
  const lay = (length: number) =>
    layOutPvh({ kernel: kernel(), initramfs, commandLine: "x".repeat(length), memory });
  lay(2047);
  assertThrows(() => lay(2048), LabError, "has 2049 bytes and room is for 2048");
});

Deno.test("what does not fit into memory is refused", () => {
  const lay = (size: number) =>
    layOutPvh({ kernel: kernel(), initramfs: new Uint8Array(size), commandLine: "", memory });
  lay(0x4000000 - 0x1500000);
  assertThrows(() => lay(0x4000001 - 0x1500000), LabError, "to 0x4000001");
});
