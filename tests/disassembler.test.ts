import { assert, assertEquals } from "@std/assert";
import { assemble } from "../src/x86/asm/assemble.ts";
import type { Bits } from "../src/x86/asm/codec.ts";
import { disassemble } from "../src/x86/asm/disassemble.ts";
import { AssemblyError } from "../src/x86/asm/error.ts";
import { formatListing, listing } from "../src/x86/asm/listing.ts";
import { corpus, fuzzLines } from "./assembler_corpus.ts";

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

Deno.test("disassemble gives address, bytes and nasm text of each instruction", () => {
  const bytes = Uint8Array.of(0xb0, 0x41, 0xe6, 0x10, 0xf4);
  assertEquals(disassemble(bytes, { bits: 16, origin: 0x7c00 }), [
    { address: 0x7c00n, bytes: bytes.slice(0, 2), text: "mov al, 0x41", valid: true },
    { address: 0x7c02n, bytes: bytes.slice(2, 4), text: "out 0x10, al", valid: true },
    { address: 0x7c04n, bytes: bytes.slice(4), text: "hlt", valid: true },
  ]);
});

Deno.test("disassemble follows the mode", () => {
  const bytes = Uint8Array.of(0x48, 0x8b, 0x07);
  const texts = (bits: Bits): string[] => disassemble(bytes, { bits }).map(({ text }) => text);
  assertEquals(texts(64), ["mov rax, [rdi]"]);
  assertEquals(texts(32), ["dec eax", "mov eax, [edi]"]);
  assertEquals(texts(16), ["dec ax", "mov ax, [bx]"]);
});

Deno.test("disassemble stops after count instructions", () => {
  const nops = new Uint8Array(10).fill(0x90);
  assertEquals(disassemble(nops, { bits: 64, count: 3 }).length, 3);
  assertEquals(disassemble(nops, { bits: 64 }).length, 10);
  assertEquals(disassemble(new Uint8Array(0), { bits: 64 }), []);
});

Deno.test("disassemble shows what is no instruction, and one cut short, as data", () => {
  const [bad, hlt] = disassemble(Uint8Array.of(0x06, 0xf4), { bits: 64 });
  assertEquals([bad.text, bad.valid, hlt.text], ["db 0x06", false, "hlt"]);
  const [cut] = disassemble(Uint8Array.of(0xe9, 0x00), { bits: 64 });
  assertEquals([cut.text, cut.valid, cut.bytes.length], ["db 0xe9, 0x00", false, 2]);
});

Deno.test("disassemble names branch targets", () => {
  const { bytes, symbols, origin } = assemble("start: nop\njmp start\ncall end\nend: jz 0x50", {
    bits: 32,
    origin: 0x1000,
  });
  const texts = disassemble(bytes, { bits: 32, origin, symbols }).map(({ text }) => text);
  assertEquals(texts, ["nop", "jmp short start", "call end", "je near 0x50"]);
});

Deno.test("a target at address 0 is named too", () => {
  const { bytes, symbols } = assemble("start: jmp start");
  assertEquals(disassemble(bytes, { bits: 64, symbols })[0].text, "jmp short start");
});

Deno.test("listing shows the surroundings with their source lines, over data and mode switches", () => {
  const source = `start: jmp 0x8:pm
value: dd 0x12345678, 1, 2
bits 32
pm:
  mov eax, [value]
.loop: dec eax
  jnz .loop
  hlt`;
  const guest = assemble(source, { bits: 16, origin: 0x7c00 });
  const address = guest.symbols.get("pm.loop")!;
  assertEquals(
    formatListing(listing(guest, address, { before: 3, after: 1 })).replace(/ +;/g, " ;"),
    [
      "  7c00  ea 11 7c 08 00           jmp 0x8:0x7c11 ; 1: start: jmp 0x8:pm",
      "  7c05  78 56 34 12 01 00 00 00  " +
      "db 0x78, 0x56, 0x34, 0x12, 0x01, 0x00, 0x00, 0x00, ... ; 2: value: dd 0x12345678, 1, 2",
      "  7c11  a1 05 7c 00 00           mov eax, [0x7c05] ; 5: mov eax, [value]",
      "> 7c16  48                       dec eax ; 6: .loop: dec eax",
      "  7c17  75 fd                    jne short pm.loop ; 7: jnz .loop",
    ].join("\n"),
  );
});

Deno.test("listing finds the instruction that an address is inside of, within repetitions too", () => {
  const guest = assemble("times 100 mov eax, 5\nhlt", { bits: 32, origin: 0x1000 });
  const lines = listing(guest, 0x1000 + 5 * 50 + 2, { before: 1, after: 1 });
  assertEquals(
    lines.map(({ instruction, current }) => [instruction.address, current]),
    [[0x10f5n, false], [0x10fan, true], [0x10ffn, false]],
  );
});

Deno.test("listing of an address outside the source has no current line", () => {
  const guest = assemble("nop\nhlt", { origin: 0x1000 });
  for (const [address, text] of [[0xfff, "nop"], [0x1002, "hlt"]] as const) {
    const lines = listing(guest, address, { before: 1, after: 0 });
    assertEquals(lines.some(({ current }) => current), false);
    assert(lines.some(({ instruction }) => instruction.text === text));
  }
});

Deno.test("what the assembler emits decodes to one instruction, and its text assembles to the same", () => {
  const seed = Number(Deno.env.get("TRAPLINE_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  for (const bits of [16, 32, 64] as const) {
    let again = 0;
    const lines = [...corpus(bits), ...fuzzLines(bits, 1500, seed)];
    for (const line of lines) {
      const bytes = assembled(line, bits);
      if (bytes === undefined) continue;
      const decoded = disassemble(bytes, { bits, origin: 0x1000 });
      // The processor takes the WAIT of FSTSW and its like for an instruction of its own.
      if (/^fst[sc]w/.test(line)) assertEquals(decoded.shift()?.text, "wait");
      const [{ text, valid }, ...rest] = decoded;
      const context = `TRAPLINE_SEED=${seed}: ${bits}-bit "${line}" is ${hex(bytes)}: ${text}`;
      assert(valid, context);
      assertEquals(rest.length, 0, context);
      const second = assembled(text, bits);
      if (second === undefined) continue;
      again++;
      const [{ text: secondText }] = disassemble(second, { bits, origin: 0x1000 });
      assertEquals(secondText, text, context);
    }
    assert(again > lines.length * 0.6, `only ${again} of ${lines.length} assembled again`);
  }
});

function assembled(line: string, bits: Bits): Uint8Array | undefined {
  try {
    return assemble(line, { bits, origin: 0x1000 }).bytes;
  } catch (error) {
    if (error instanceof AssemblyError) return undefined;
    throw error;
  }
}
