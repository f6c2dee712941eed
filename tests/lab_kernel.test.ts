import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { parseBzImage } from "../ci/lab/bzimage.ts";
import { Cache } from "../ci/lab/cache.ts";
import { Elf, ElfError } from "../ci/lab/elf.ts";
import { LabError } from "../ci/lab/error.ts";
import { isSeries, newestOf, ownKernel } from "../ci/lab/kernel.ts";
import { TemporaryFolder } from "./host.ts";
import { bzImage, elfFile, elfNote, gzip, kernelElf, PVH_ENTRY, toolTest } from "./lab_files.ts";

Deno.test("an ELF file gives its loaded parts, its sections, and a kernel's PVH entry", () => {
  const kernel = new Elf(kernelElf());
  assertEquals(kernel.pvhEntry(), PVH_ENTRY);
  assertEquals(kernel.segments(), [
    { address: 0x1000000, bytes: Uint8Array.of(0xf4), memorySize: 4097 },
  ]);
  const file = new Elf(elfFile({ sections: { ".one": "first", ".modinfo": "name=x\0" } }));
  assertEquals(new TextDecoder().decode(file.section(".modinfo")), "name=x\0");
  assertEquals(new TextDecoder().decode(file.section(".one")), "first");
  assertEquals(file.section(".two"), undefined);
  assertEquals([file.segments(), file.pvhEntry()], [[], undefined]);
});

Deno.test("a kernel without a PVH entry has none, whatever other notes it has", () => {
  const bytes = elfNote("Xen", 6, [1, 2, 3, 4]);
  assertEquals(new Elf(elfFile({ segments: [{ type: 4, bytes }] })).pvhEntry(), undefined);
});

Deno.test("what is no ELF file, or is cut off, is said so", () => {
  assertThrows(() => new Elf(new Uint8Array(100)), ElfError, "it is not an ELF file");
  const narrow = kernelElf();
  narrow[4] = 1;
  assertThrows(() => new Elf(narrow), ElfError, "it is not a 64-bit ELF file");
  const file = elfFile({ sections: { ".modinfo": "x" } });
  for (let size = 64; size < file.length; size += 8) {
    assertThrows(() => new Elf(file.slice(0, size)).section(".modinfo"), ElfError, "cut off");
  }
  const kernel = kernelElf();
  for (let size = 64; size < kernel.length - 128 - 24; size += 8) {
    assertThrows(() => new Elf(kernel.slice(0, size)).pvhEntry(), ElfError, "cut off");
  }
});

Deno.test("a bzImage tells its release, and holds the kernel", async () => {
  const payload = await gzip(kernelElf());
  const image = parseBzImage("bzImage", await bzImage({ release: "6.12.1-mine+", payload }));
  assertEquals([image.release, image.payload], ["6.12.1-mine+", payload]);
});

const noImages: [what: string, bytes: () => Promise<Uint8Array<ArrayBuffer>>, message: string][] = [
  ["a text", () => Promise.resolve(new TextEncoder().encode("hello")), "it has 5 bytes"],
  ["zeros", () => Promise.resolve(new Uint8Array(4096)), "it has no setup header"],
  ["another boot sector", () => bzImage({ magic: "ABCD" }), "it has no setup header"],
  ["an old one", () => bzImage({ protocol: 0x207 }), "its boot protocol is 0x207"],
  ["half of one", () => bzImage({ cut: 40 }), "it is cut off"],
  ["an ELF file", () => Promise.resolve(kernelElf()), "is an ELF file and no bzImage"],
];

for (const [what, bytes, message] of noImages) {
  Deno.test(`${what} is no bzImage, and is said so`, async () => {
    using folder = new TemporaryFolder();
    const path = `${folder.path}/image`;
    await Deno.writeFile(path, await bytes());
    const error = await assertRejects(
      () => ownKernel(new Cache(`${folder.path}/cache`), path),
      LabError,
    );
    assertEquals(error.message.startsWith(path), true, error.message);
    assertEquals(error.message.includes(message), true, error.message);
    assertEquals(error.message.includes("give arch/x86/boot/bzImage"), true, error.message);
  });
}

async function kernelOf(payload: Uint8Array, release?: string) {
  using folder = new TemporaryFolder();
  const path = `${folder.path}/bzImage`;
  await Deno.writeFile(path, await bzImage({ payload, release }));
  const kernel = await ownKernel(new Cache(`${folder.path}/cache`), path);
  return { ...kernel, vmlinux: await Deno.readFile(kernel.vmlinux) };
}

Deno.test("a kernel of one's own is decompressed and knows its series", async () => {
  const kernel = await kernelOf(await gzip(kernelElf()), "6.13.0-rc2-next");
  assertEquals([kernel.release, kernel.series], ["6.13.0-rc2-next", "6.13"]);
  assertEquals([kernel.pvhEntry, kernel.modules], [PVH_ENTRY, undefined]);
  assertEquals(kernel.vmlinux, kernelElf());
});

const compressors: [command: string, ...args: string[]][] = [
  ["zstd", "-c"],
  ["xz", "-c"],
  ["xz", "--format=lzma", "-c"],
  ["lz4", "-l", "-c"],
  ["bzip2", "-c"],
];

for (const [command, ...args] of compressors) {
  toolTest(`a kernel that ${[command, ...args].join(" ")} compressed`, [command], async () => {
    const child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(kernelElf());
    await writer.close();
    const { stdout } = await child.output();
    // The build appends the size.
    const payload = new Uint8Array(stdout.length + 4);
    payload.set(stdout);
    new DataView(payload.buffer).setUint32(stdout.length, kernelElf().length, true);
    assertEquals((await kernelOf(payload)).vmlinux, kernelElf());
  });
}

Deno.test("a damaged kernel is said so", async () => {
  const damaged = await gzip(kernelElf());
  damaged.fill(0xff, 20, 60);
  await assertRejects(() => kernelOf(damaged), LabError, "bzImage cannot be decompressed: ");
  const unknown = () => kernelOf(new Uint8Array(100));
  await assertRejects(unknown, LabError, "bzImage is compressed in a way that is none of gzip");
  const noElf = await gzip(new TextEncoder().encode("no kernel"));
  await assertRejects(() => kernelOf(noElf), LabError, "bzImage holds a damaged kernel: it is not");
  const nameless = await gzip(kernelElf());
  await assertRejects(() => kernelOf(nameless, "next"), LabError, 'is of release "next"');
});

Deno.test("a kernel that is not there is a sentence", async () => {
  await assertRejects(
    () => ownKernel(new Cache("/nowhere"), "/nowhere/bzImage"),
    LabError,
    "the kernel /nowhere/bzImage cannot be read: No such file or directory",
  );
});

Deno.test("of a series' packages the newest cloud kernel is chosen, by its numbers", () => {
  const names = [
    "linux-image-6.1.0-9-cloud-amd64",
    "linux-image-6.1.0-52-cloud-amd64",
    "linux-image-6.1.0-60-amd64",
    "linux-image-6.1.0-60-cloud-amd64-unsigned",
    "linux-image-6.1.0-60-cloud-amd64-dbg",
    "linux-image-6.12-cloud-amd64",
    "linux-image-6.12.9+deb12-cloud-amd64",
    "linux-image-6.12.117+deb12-cloud-amd64",
    "linux-image-6.12.118+deb12-rt-amd64",
    "linux-image-6.12.119+deb12-cloud-arm64",
    "",
  ];
  assertEquals(newestOf(names, "6.1"), "linux-image-6.1.0-52-cloud-amd64");
  assertEquals(newestOf(names, "6.12"), "linux-image-6.12.117+deb12-cloud-amd64");
  assertEquals(newestOf(names, "6.5"), undefined);
  assertEquals(["6.12", "6.12.1", "bzImage", "./6.12"].map(isSeries), [true, false, false, false]);
});
