import type { Bits } from "./codec.ts";
import { Layout } from "./layout.ts";
import { type Body, parseSource } from "./statement.ts";

/** How to assemble: the initial mode, the load address, and symbols known from outside. */
export interface AssembleOptions {
  /** Mode at the start of the source; 64 if absent. A `bits` line changes it from there on. */
  bits?: Bits;
  /** Address of the first byte; 0 if absent. */
  origin?: number | bigint;
  /** Names with fixed values, such as port numbers or addresses, that the source may use. */
  symbols?: Record<string, number | bigint>;
}

/** Where the bytes of one source line are. */
export interface SourceLine {
  /** Address of the first byte. */
  address: bigint;
  /** Length in bytes, greater than 0. */
  length: number;
  /** Mode in force at the line. */
  bits: Bits;
  /** 1-based line number in the source. */
  line: number;
  /** The source line without the space around it. */
  text: string;
  /** Instructions (and the padding of `align`), or data. */
  kind: "code" | "data";
}

/** An assembled source: flat bytes for the load address `origin`. */
export interface Assembled {
  /** The bytes, the first one at `origin`. */
  readonly bytes: Uint8Array;
  /** Address of the first byte. */
  readonly origin: bigint;
  /** Labels and `equ` names of the source; a local label as `global.local`. */
  readonly symbols: ReadonlyMap<string, bigint>;
  /** The lines that made bytes, in ascending address order. */
  readonly lines: readonly SourceLine[];
}

/**
 * Assembles nasm-flavoured Intel syntax to flat bytes (encodings: SDM volume 2, APM volume 3).
 *
 * Every reference is resolved here, so that the result runs at `origin` only. Branches without
 * `short`, `near` or a size word get the shortest form that reaches; numbers get the shortest
 * immediate; addresses (labels) get the full immediate. `mov r64, number` becomes the 32-bit move when the
 * number is unsigned 32-bit, the sign-extended one when it is signed 32-bit, else the 64-bit one;
 * `mov r64, label` is always the 64-bit one. In 64-bit mode `[label]` is absolute and
 * `[rel label]` RIP-relative; `[dword n]` has the address-size prefix, so it is zero-extended, and
 * `[qword n]` is the 64-bit offset that the accumulator's MOV has. A value that does not fit, or an
 * operand size that is not stated, is an error, never a truncation or a guess. Decorators of
 * AVX-512 (`{k1}`, `{z}`, `{1to8}`) are not supported.
 *
 * @throws {AssemblyError} when the source is wrong; it names line, column and reason.
 * @throws {AssemblerUnavailableError} when the encoder could not be loaded (no --allow-read).
 *
 * @example
 * ```ts
 * import { assemble } from "@trapline/trapline";
 *
 * const { bytes } = assemble("mov al, 0x41\nout 0x10, al\nhlt", { bits: 16, origin: 0x7c00 });
 * console.log(bytes); // b0 41 e6 10 f4
 * ```
 */
export function assemble(source: string, options: AssembleOptions = {}): Assembled {
  const bits = options.bits ?? 64;
  const origin = BigInt(options.origin ?? 0);
  const predefined = new Map(
    Object.entries(options.symbols ?? {}).map(([name, value]) => [name, BigInt(value)]),
  );
  const lines = source.split(/\r?\n/);
  const statements = parseSource(lines, bits);
  const { placed, symbols } = new Layout(statements, lines, origin, predefined).run();
  const length = placed.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const bytes = new Uint8Array(length);
  const sourceLines: SourceLine[] = [];
  let offset = 0;
  for (const { statement, address, bytes: part } of placed) {
    bytes.set(part, offset);
    offset += part.length;
    if (part.length === 0) continue;
    sourceLines.push({
      address,
      length: part.length,
      bits: statement.bits,
      line: statement.line,
      text: lines[statement.line - 1].trim(),
      kind: kindOf(statement.body),
    });
  }
  return { bytes, origin, symbols, lines: sourceLines };
}

function kindOf(body: Body): "code" | "data" {
  if (body.kind === "times") return kindOf(body.body);
  if (body.kind === "align") return body.fill === undefined ? "code" : "data";
  return body.kind === "instruction" ? "code" : "data";
}

/** The source line whose bytes hold an address, or undefined outside of them. */
export function sourceLineAt(
  assembled: Assembled,
  address: number | bigint,
): SourceLine | undefined {
  const wanted = BigInt(address);
  return assembled.lines.find((line) =>
    wanted >= line.address && wanted < line.address + BigInt(line.length)
  );
}
