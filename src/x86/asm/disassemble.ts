import { type Bits, decode } from "./codec.ts";

/** One instruction as the processor would decode it. */
export interface DisassembledInstruction {
  /** Address of its first byte. */
  address: bigint;
  /** Its bytes, 1 to 15. */
  bytes: Uint8Array;
  /** nasm syntax with hexadecimal numbers; `db ...` for bytes that are no instruction. */
  text: string;
  /** False for bytes that decode to no instruction, or to the beginning of one only. */
  valid: boolean;
}

/** How to disassemble. */
export interface DisassembleOptions {
  /** Mode of the code. */
  bits: Bits;
  /** Address of the first byte; 0 if absent. */
  origin?: number | bigint;
  /** Stop after so many instructions; all bytes if absent. */
  count?: number;
  /** Names for branch targets, by address. */
  symbols?: ReadonlyMap<string, bigint>;
}

/**
 * Disassembles bytes from the first to the last, or to the `count`-th instruction.
 *
 * @throws {AssemblerUnavailableError} when the decoder could not be loaded (no --allow-read).
 *
 * @example
 * ```ts
 * import { disassemble } from "@trapline/trapline";
 *
 * const [hlt] = disassemble(Uint8Array.of(0xf4), { bits: 64, origin: 0x1000 });
 * console.log(hlt.text); // hlt
 * ```
 */
export function disassemble(
  bytes: Uint8Array,
  options: DisassembleOptions,
): DisassembledInstruction[] {
  const names = new Map<bigint, string>();
  for (const [name, address] of options.symbols ?? []) {
    // Of several names for one address the first one is the most global.
    if (!names.has(address)) names.set(address, name);
  }
  const origin = BigInt(options.origin ?? 0);
  const decoded = decode(
    bytes,
    options.bits,
    origin,
    options.count ?? Infinity,
    (address) => names.get(address),
  );
  let offset = 0;
  return decoded.map(({ length, text, valid }) => {
    const part = bytes.slice(offset, offset + length);
    const address = origin + BigInt(offset);
    offset += length;
    return { address, bytes: part, text: valid ? text : rawBytes(part), valid };
  });
}

/** Bytes as a `db` line. */
export function rawBytes(bytes: Uint8Array): string {
  return "db " + Array.from(bytes, (byte) => "0x" + byte.toString(16).padStart(2, "0")).join(", ");
}
