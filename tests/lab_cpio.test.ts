import { assertEquals, assertThrows } from "@std/assert";
import { Archive } from "../ci/lab/cpio.ts";
import { TemporaryFolder } from "./host.ts";
import { toolTest } from "./lab_files.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function sample(): Archive {
  const archive = new Archive();
  archive.add("init", { kind: "file", bytes: bytes("#!/bin/sh\n"), executable: true });
  archive.add("a/b/data", { kind: "file", bytes: bytes("12345") });
  archive.add("a/empty", { kind: "file", bytes: new Uint8Array() });
  archive.add("lib", { kind: "link", target: "usr/lib" });
  archive.add("proc", { kind: "folder" });
  return archive;
}

Deno.test("an archive is newc: a header of hexadecimal fields, everything on 4 bytes", () => {
  const archive = new Archive();
  archive.add("ab", { kind: "file", bytes: bytes("xyz"), executable: true });
  assertEquals(
    text(joined(archive.finish())),
    "070701" + "00000001" + "000081ed" + "00000000" + "00000000" + "00000001" + "00000000" +
      "00000003" + "00000000".repeat(4) + "00000003" + "00000000" + "ab\0" + "\0\0\0" + "xyz\0" +
      "070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" +
      "00000000" + "00000000".repeat(4) + "0000000b" + "00000000" + "TRAILER!!!\0" + "\0\0\0",
  );
});

Deno.test("a path is in an archive once, and below it", () => {
  const archive = sample();
  assertThrows(() => archive.add("init", { kind: "folder" }), RangeError, "init is in the archive");
  for (const path of ["", "/init", "a/../b"]) {
    assertThrows(() => archive.add(path, { kind: "folder" }), RangeError, "is no path");
  }
  archive.finish();
  assertThrows(() => archive.add("late", { kind: "folder" }), RangeError, "finished");
});

toolTest("cpio unpacks an archive as it was packed", ["cpio"], async () => {
  using folder = new TemporaryFolder();
  const child = new Deno.Command("cpio", {
    args: ["-i", "--no-absolute-filenames", "--quiet"],
    cwd: folder.path,
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(joined(sample().finish()));
  await writer.close();
  const { code, stderr } = await child.output();
  assertEquals([code, text(stderr)], [0, ""]);
  const mode = (name: string) => Deno.lstatSync(`${folder.path}/${name}`).mode!.toString(8);
  const names = ["init", "a", "a/b", "a/b/data", "a/empty", "lib", "proc"];
  assertEquals(
    names.map(mode),
    ["100755", "40755", "40755", "100644", "100644", "120777", "40755"],
  );
  assertEquals(Deno.readTextFileSync(`${folder.path}/a/b/data`), "12345");
  assertEquals(Deno.readTextFileSync(`${folder.path}/a/empty`), "");
  assertEquals(Deno.readLinkSync(`${folder.path}/lib`), "usr/lib");
});
