import type { Assembled, SourceLine } from "./assemble.ts";
import { disassemble, type DisassembledInstruction, rawBytes } from "./disassemble.ts";

/** One line of a listing: an instruction, and the source line that it comes from. */
export interface ListingLine {
  /** The instruction, or the bytes of a data line. */
  instruction: DisassembledInstruction;
  /** The source line whose bytes these are. */
  source: SourceLine;
  /** Does the instruction hold the address that was asked for? */
  current: boolean;
}

/** How much of the surroundings a listing shows, in instructions. */
export interface ListingOptions {
  /** Instructions before the address; 3 if absent. */
  before?: number;
  /** Instructions after it; 3 if absent. */
  after?: number;
}

/**
 * The instructions around an address of an assembled source, each with its source line.
 *
 * Instructions are decoded from the beginning of each source line, in that line's mode, so data
 * and mode switches in between do not lead astray. An address outside the source gives the
 * instructions nearest to it, none of them current.
 *
 * @throws {AssemblerUnavailableError} when the decoder could not be loaded (no --allow-read).
 *
 * @example
 * ```ts
 * import { assemble, formatListing, listing } from "@trapline/trapline";
 *
 * const guest = assemble("start: inc eax\njmp start", { bits: 32, origin: 0x1000 });
 * console.log(formatListing(listing(guest, 0x1001)));
 * ```
 */
export function listing(
  assembled: Assembled,
  address: number | bigint,
  options: ListingOptions = {},
): ListingLine[] {
  const { before = 3, after = 3 } = options;
  const wanted = BigInt(address);
  const { lines } = assembled;
  const found = lines.findIndex((line) => wanted < line.address + BigInt(line.length));
  const center = found < 0 ? lines.length : found;
  // Every source line has at least one instruction, so this many lines hold enough of them.
  const window = lines.slice(Math.max(0, center - before), center + after + 1);
  const all = window.flatMap((source) => decodeLine(assembled, source, wanted, before + after + 1));
  const position = all.findIndex(({ instruction }) =>
    wanted < instruction.address + BigInt(instruction.bytes.length)
  );
  const middle = position < 0 ? all.length : position;
  return all.slice(Math.max(0, middle - before), middle + after + 1);
}

const DATA_BYTES_SHOWN = 8;

function decodeLine(
  assembled: Assembled,
  source: SourceLine,
  wanted: bigint,
  count: number,
): ListingLine[] {
  const start = Number(source.address - assembled.origin);
  const bytes = assembled.bytes.subarray(start, start + source.length);
  const holds = (address: bigint, length: number): boolean =>
    wanted >= address && wanted < address + BigInt(length);
  if (source.kind === "data") {
    const more = bytes.length > DATA_BYTES_SHOWN ? ", ..." : "";
    const text = rawBytes(bytes.subarray(0, DATA_BYTES_SHOWN)) + more;
    const instruction = { address: source.address, bytes: bytes.slice(), text, valid: false };
    return [{ instruction, source, current: holds(source.address, bytes.length) }];
  }
  const instructions = disassemble(bytes, {
    bits: source.bits,
    origin: source.address,
    symbols: assembled.symbols,
  }).map((instruction) => ({
    instruction,
    source,
    current: holds(instruction.address, instruction.bytes.length),
  }));
  // A repeated instruction can be long: what is farther away than the window is not wanted.
  const at = instructions.findIndex(({ current }) => current);
  if (at >= 0) return instructions.slice(Math.max(0, at - count), at + count);
  return wanted < source.address ? instructions.slice(0, count) : instructions.slice(-count);
}

/** A listing as text, with `>` before the current instruction and the source at the right. */
export function formatListing(lines: readonly ListingLine[]): string {
  const rows = lines.map(({ instruction, source, current }) => ({
    mark: current ? ">" : " ",
    address: instruction.address.toString(16),
    bytes: Array.from(
      instruction.bytes.subarray(0, DATA_BYTES_SHOWN),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join(" "),
    text: instruction.text,
    source: `${source.line}: ${source.text}`,
  }));
  const width = (column: "address" | "bytes" | "text"): number =>
    Math.max(0, ...rows.map((row) => row[column].length));
  return rows.map((row) =>
    `${row.mark} ${row.address.padStart(width("address"))}  ${row.bytes.padEnd(width("bytes"))}  ` +
    `${row.text.padEnd(width("text"))}  ; ${row.source}`
  ).join("\n");
}
