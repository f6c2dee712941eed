import { assert, assertEquals, assertGreater } from "@std/assert";
import { assemble } from "../src/x86/asm/assemble.ts";
import type { Bits } from "../src/x86/asm/codec.ts";
import { disassemble } from "../src/x86/asm/disassemble.ts";
import { AssemblyError } from "../src/x86/asm/error.ts";
import { corpus, fuzzLines, fuzzProgram } from "./assembler_corpus.ts";

/**
 * The assembler against nasm and GNU as. The rule for every line of the corpus and of the fuzz:
 * - where a reference assembles the line, our bytes are those of nasm or those of GNU as, or decode
 *   to the same instruction as one of them (`canonical` says what counts as the same);
 * - a line that a reference assembles may be refused by us for a stated reason only (`REFUSALS`);
 * - a line that no reference assembles may not be assembled by us.
 */

const ORIGIN = 0x1000;
const REFUSALS = [
  // nasm truncates with a warning, GNU as wraps: a value that does not fit is an error here.
  /is out of range/,
  /does not fit a sign-extended 32-bit displacement/,
  // GNU as supposes a size where nasm, as we do, wants it stated.
  /size of the memory operand is not stated/,
];

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

async function missing(tool: string): Promise<boolean> {
  try {
    await new Deno.Command(tool, { args: ["--version"], stdout: "null", stderr: "null" }).output();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

interface Reference {
  tool: string;
  /** The file for these lines; the first of them is line `first`. */
  source(lines: string[], bits: Bits): string;
  first: number;
  arguments: string[];
  /** Lines of the listing that carry bytes: line number and bytes. */
  listed: RegExp;
}

const NASM: Reference = {
  tool: "nasm",
  source: (lines, bits) => `bits ${bits}\norg ${ORIGIN}\n${lines.join("\n")}\n`,
  first: 3,
  arguments: ["-f", "bin", "-w-all", "-l", "listing", "-o", "output", "source.asm"],
  listed: /^ *(\d+) [0-9A-F]{8} ([0-9A-F]+)-?(?: |$)/,
};
const GNU_AS: Reference = {
  tool: "as",
  source: (lines, bits) =>
    `.intel_syntax noprefix\n.code${bits}\n${lines.map(gnuSyntax).join("\n")}\n`,
  first: 3,
  arguments: ["-aln=listing", "--listing-lhs-width=4", "-o", "output", "source.asm"],
  listed: /^ *(\d+) (?:[0-9a-f]{4}| {4}) ([0-9A-F ]+?)(?:\t|$)/,
};

function gnuSyntax(line: string): string {
  const words: Record<string, string> = { tword: "tbyte", oword: "xmmword", yword: "ymmword" };
  return line
    .replace(
      /\b(byte|word|dword|qword|tword|oword|yword) \[/,
      (_, word) => `${words[word] ?? word} ptr [`,
    )
    .replace(/\[(es|cs|ss|ds|fs|gs):/, "$1:[");
}

/** What a reference makes of each line by itself; undefined where it refuses. */
async function reference(
  { tool, source, first, arguments: args, listed }: Reference,
  lines: string[],
  bits: Bits,
): Promise<(string | undefined)[]> {
  const cwd = await Deno.makeTempDir();
  try {
    let live = lines.map((_, index) => index);
    // A run with errors gives no listing, so the refused lines are taken out and it is run again.
    for (let round = 0; round < 10; round++) {
      const text = source(live.map((index) => lines[index]), bits);
      await Deno.writeTextFile(`${cwd}/source.asm`, text);
      const { stderr } = await new Deno.Command(tool, { args, cwd }).output();
      const refused = new Set(
        Array.from(
          new TextDecoder().decode(stderr).matchAll(/^source\.asm:(\d+): error/gmi),
          (match) => live[Number(match[1]) - first],
        ),
      );
      if (refused.size > 0) {
        live = live.filter((index) => !refused.has(index));
        continue;
      }
      const bytes = new Map<number, string>();
      for (const row of (await Deno.readTextFile(`${cwd}/listing`)).split("\n")) {
        const match = listed.exec(row);
        if (!match) continue;
        const index = live[Number(match[1]) - first];
        const part = match[2].replaceAll(" ", "").toLowerCase();
        bytes.set(index, (bytes.get(index) ?? "") + part);
      }
      return lines.map((_, index) => bytes.get(index));
    }
    throw new Error(`${tool} still refuses lines after ten rounds`);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

/**
 * The instruction that bytes decode to, such that two encodings of the same instruction are equal.
 * Beyond the text: the operands of XCHG commute; a base and an unscaled index commute unless that
 * changes the default segment (EBP, ESP); the bytes must be one instruction, entirely.
 */
function canonical(bytes: Uint8Array, bits: Bits): string {
  const decoded = disassemble(bytes, { bits, origin: ORIGIN });
  if (decoded.length !== 1 || !decoded[0].valid) return `several or no instructions: ${hex(bytes)}`;
  let text = decoded[0].text.replace(
    /\[([er]\w+)\+([er]\w+)([\]+-])/,
    (all, a, b, rest) =>
      /^[er][bs]p$/.test(a) || /^[er][bs]p$/.test(b) ? all : `[${[a, b].sort().join("+")}${rest}`,
  );
  const exchange = /^xchg (\w+), (\w+)$/.exec(text);
  if (exchange) text = `xchg ${exchange.slice(1).sort().join(", ")}`;
  return text;
}

function ours(line: string, bits: Bits): Uint8Array | AssemblyError {
  try {
    return assemble(line, { bits, origin: ORIGIN }).bytes;
  } catch (error) {
    if (error instanceof AssemblyError) return error;
    throw error;
  }
}

/** Judges lines by the rule at the top; gives what violates it and how many lines were compared. */
async function judge(
  lines: string[],
  bits: Bits,
): Promise<{ violations: string[]; identical: number; equivalent: number }> {
  const references = await Promise.all([
    reference(NASM, lines, bits),
    reference(GNU_AS, lines, bits),
  ]);
  const violations: string[] = [];
  let identical = 0;
  let equivalent = 0;
  lines.forEach((line, index) => {
    const mine = ours(line, bits);
    const theirs = references.map((all) => all[index]).filter((bytes) => bytes !== undefined);
    const show = `${bits}-bit "${line}": nasm ${references[0][index]}, as ${references[1][index]}`;
    if (mine instanceof AssemblyError) {
      if (theirs.length > 0 && !REFUSALS.some((reason) => reason.test(mine.reason))) {
        violations.push(`${show}, refused: ${mine.reason}`);
      }
    } else if (theirs.includes(hex(mine))) identical++;
    else if (theirs.some((bytes) => canonical(unhex(bytes), bits) === canonical(mine, bits))) {
      equivalent++;
    } else violations.push(`${show}, ours ${hex(mine)}`);
  });
  return { violations, identical, equivalent };
}

const absent = [];
for (const { tool } of [NASM, GNU_AS]) if (await missing(tool)) absent.push(tool);
const needs = absent.length > 0 ? ` (skipped: ${absent.join(" and ")} not installed)` : "";
const ignore = absent.length > 0;
// A failing fuzz run is repeated with the seed it printed: TRAPLINE_SEED=... deno test
const seed = Number(Deno.env.get("TRAPLINE_SEED") ?? Math.floor(Math.random() * 2 ** 31));

for (const bits of [16, 32, 64] as const) {
  Deno.test({
    name: `assembler agrees with nasm and GNU as on the corpus, ${bits}-bit${needs}`,
    ignore,
    async fn() {
      const { violations, identical, equivalent } = await judge(corpus(bits), bits);
      assertEquals(violations, []);
      assertGreater(identical + equivalent, 200);
    },
  });

  Deno.test({
    name: `assembler agrees with nasm and GNU as on fuzzed lines, ${bits}-bit${needs}`,
    ignore,
    async fn() {
      const lines = fuzzLines(bits, 1500, seed);
      const { violations, identical, equivalent } = await judge(lines, bits);
      assertEquals(violations, [], `TRAPLINE_SEED=${seed}`);
      assertGreater(identical + equivalent, 1000, `TRAPLINE_SEED=${seed}`);
      assertGreater(identical, 20 * equivalent, `TRAPLINE_SEED=${seed}`);
    },
  });

  Deno.test({
    name: `assembler lays out fuzzed programs as nasm does, ${bits}-bit${needs}`,
    ignore,
    async fn() {
      const cwd = await Deno.makeTempDir();
      let identical = 0;
      try {
        for (let program = 0; program < 25; program++) {
          const source = fuzzProgram(bits, seed + program, false);
          await Deno.writeTextFile(`${cwd}/source.asm`, `bits ${bits}\norg ${ORIGIN}\n${source}`);
          const args = ["-f", "bin", "-w-all", "-o", "output", "source.asm"];
          const { success, stderr } = await new Deno.Command("nasm", { args, cwd }).output();
          assert(success, new TextDecoder().decode(stderr));
          const expected = await Deno.readFile(`${cwd}/output`);
          const { bytes } = assemble(source, { bits, origin: ORIGIN });
          // Now and then nasm settles for a near branch where a short one reaches; that ours all
          // reach their labels is the business of another test.
          if (bytes.length < expected.length) continue;
          assertEquals(hex(bytes), hex(expected), `TRAPLINE_SEED=${seed + program}\n${source}`);
          identical++;
        }
        assertGreater(identical, 20);
      } finally {
        await Deno.remove(cwd, { recursive: true });
      }
    },
  });
}
