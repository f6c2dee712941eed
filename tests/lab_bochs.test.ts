/** What Bochs is given: boot sector, image of memory, configuration. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { bochs } from "../ci/lab/bochs.ts";
import { bootProgram, bootSector, floppy, memoryImage } from "../ci/lab/bochs_boot.ts";
import { bochsCommandLine, bochsConfig, bochsMemory } from "../ci/lab/bochs_config.ts";
import { findCommand, requireTools } from "../ci/lab/command.ts";
import { LabError } from "../ci/lab/error.ts";
import type { PvhImage } from "../ci/lab/pvh.ts";
import { disassemble } from "../src/x86/asm/disassemble.ts";

const BLOCK = 0x20000;
const image: PvhImage = {
  address: 0x1000000,
  bytes: new Uint8Array(3 * BLOCK + 1).fill(7),
  entry: 0x1000123,
  startInfo: 0x1020000,
};

Deno.test("the boot sector is a bootable 512 bytes at the beginning of a floppy", () => {
  const sector = bootSector(image);
  assertEquals(sector.length, 512);
  assertEquals([...sector.subarray(510)], [0x55, 0xaa]);
  const disk = floppy(sector);
  assertEquals(disk.length, 1474560);
  assertEquals([...disk.subarray(0, 512)], [...sector]);
});

Deno.test("the boot sector finds the mark, touches each block and enters the kernel", () => {
  const sector = bootSector(image);
  const part = (from: number, to: number, bits: 16 | 32) =>
    disassemble(sector.subarray(from, to), { bits, origin: 0x7c00 + from }).map(({ text }) => text);
  assertEquals(part(0, 0x20, 16).slice(6), [
    "lgdt [0x7c78]",
    "mov eax, cr0",
    "or al, 0x1",
    "mov cr0, eax",
    "jmp dword 0x8:0x7c20",
  ]);
  assertEquals(part(0x2a, 0x5f, 32), [
    "mov edi, 0x800000",
    "cmp dword [edi], 0x5453414c",
    "je short 0x7c3f",
    "add edi, 0x20000",
    "jmp short 0x7c2f",
    "mov edi, 0x1000000",
    "mov ecx, 0x4",
    "mov eax, [edi]",
    "add edi, 0x20000",
    "loop 0x7c49",
    "mov ebx, 0x1020000",
    "mov eax, 0x1000123",
    "jmp eax",
  ]);
  // GDTR: three descriptors, the first one null, then code and data with a limit of 4 GiB.
  assertEquals([...sector.subarray(0x78, 0x7e)], [0x17, 0, 0x60, 0x7c, 0, 0]);
  const view = new DataView(sector.buffer);
  assertEquals([0x60, 0x68, 0x70].map((at) => view.getBigUint64(at, true)), [
    0n,
    0x00cf9a000000ffffn,
    0x00cf92000000ffffn,
  ]);
});

Deno.test({
  name: "the boot sector has the bytes that nasm gives it",
  ignore: findCommand("nasm") === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const source = `org 0x7c00\nbits 16\n${bootProgram(image).source}`;
      await Deno.writeTextFile(`${folder}/boot.asm`, source);
      const args = ["-f", "bin", "-o", "boot.bin", "boot.asm"];
      const { success } = await new Deno.Command("nasm", { args, cwd: folder }).output();
      assert(success, "nasm refuses the boot sector");
      const expected = await Deno.readFile(`${folder}/boot.bin`);
      assertEquals(bootSector(image).subarray(0, expected.length), expected);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the image of memory is whole blocks: the padding with its mark, then the kernel", () => {
  const parts = memoryImage(image);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  assertEquals(bytes.length, (48 + 4) * BLOCK);
  const marks = [...Array(48).keys()].filter((block) =>
    new DataView(bytes.buffer).getUint32(block * BLOCK, true) === 0x5453414c
  );
  assertEquals(marks, [47]);
  assertEquals(bytes.subarray(48 * BLOCK, 51 * BLOCK + 1), image.bytes);
  assert(bytes.subarray(51 * BLOCK + 1).every((byte) => byte === 0));
});

Deno.test("a kernel that lies where blocks are searched is refused", () => {
  memoryImage({ ...image, address: 0xe00000 });
  assertThrows(() => memoryImage({ ...image, address: 0xdff000 }), LabError, "0xdff000");
});

const files = {
  image: "/x/memory",
  floppy: "/x/floppy",
  console: "/x/console",
  channel: "/x/channel",
  log: "/x/bochs.log",
};

Deno.test("the configuration gives the console the first serial port and the channel the second", () => {
  const lines = bochsConfig(files).split("\n");
  const expected = [
    'com1: enabled=1, mode=file, dev="/x/console"',
    'com2: enabled=1, mode=file, dev="/x/channel"',
    'optramimage1: file="/x/memory", address=0x700000',
    'floppya: 1_44="/x/floppy", status=inserted, write_protected=1',
    'log: "/x/bochs.log"',
    "panic: action=fatal",
  ];
  assertEquals(expected.filter((line) => !lines.includes(line)), []);
});

Deno.test("the kernel is told the clock that the configuration has", () => {
  const rate = Number(/ips=(\d+)/.exec(bochsConfig(files))![1]);
  assertMatch(bochsCommandLine, new RegExp(`\\btsc_early_khz=${rate / 1000}\\b`));
  assertMatch(bochsCommandLine, new RegExp(`\\blpj=${rate / 250}\\b`));
});

Deno.test("the memory map has as much memory as the configuration, without gap or overlap below it", () => {
  const megabytes = Number(/guest=(\d+)/.exec(bochsConfig(files))![1]);
  let end = 0;
  for (const { address, size } of bochsMemory.filter(({ address }) => address < 0xfec00000)) {
    assertEquals(address, end);
    end = address + size;
  }
  assertEquals(end, megabytes << 20);
});

Deno.test("a path that Bochs cannot be told is refused with the way out", () => {
  assertThrows(() => bochsConfig({ ...files, log: '/a"b/log' }), LabError, "set TMPDIR");
});

Deno.test("what is missing is named with its package", () => {
  const absent = bochs.tools.map((tool) => ({
    ...tool,
    command: tool.command.startsWith("/") ? `/nowhere${tool.command}` : `${tool.command}-absent`,
  }));
  assertThrows(
    () => requireTools(absent),
    LabError,
    "this lab needs bochs-bin-absent, setpriv-absent, /nowhere/usr/share/bochs/BIOS-bochs-latest, " +
      "/nowhere/usr/share/bochs/VGABIOS-lgpl-latest: apt-get install bochs util-linux bochsbios vgabios",
  );
});
