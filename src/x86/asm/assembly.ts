import { assemble, type Assembled, type AssembleOptions } from "./assemble.ts";

/** Assembly source that is assembled when its mode and load address are known. */
export class Assembly {
  /** The source text; line numbers in errors count from its first line. */
  readonly source: string;
  readonly #assembled = new Map<string, Assembled>();

  /** Wraps a source text; nothing is parsed yet. */
  constructor(source: string) {
    this.source = source;
  }

  /**
   * Assembles the source, or gives the earlier result for the same options.
   *
   * @throws {AssemblyError} when the source is wrong.
   * @throws {AssemblerUnavailableError} when the encoder could not be loaded (no --allow-read).
   */
  assemble(options: AssembleOptions = {}): Assembled {
    const key = keyOf(options);
    let assembled = this.#assembled.get(key);
    if (assembled === undefined) {
      assembled = assemble(this.source, options);
      this.#assembled.set(key, assembled);
    }
    return assembled;
  }

  /**
   * Takes what assembling this source gave elsewhere, for {@link assemble} with the same options:
   * a process that only runs guests can do without the assembler.
   */
  provide(options: AssembleOptions, assembled: Assembled): void {
    this.#assembled.set(keyOf(options), assembled);
  }
}

function keyOf({ bits = 64, origin = 0, symbols = {} }: AssembleOptions): string {
  const sorted = Object.entries(symbols).sort(([a], [b]) => a < b ? -1 : 1);
  return [bits, BigInt(origin), ...sorted.flat()].join(" ");
}

/**
 * Tags a template as assembly source. The text is taken raw, so backslashes need no escape;
 * interpolated numbers become decimal literals, strings and other assemblies are spliced in as text.
 *
 * @example
 * ```ts
 * import { asm } from "@trapline/trapline";
 *
 * const port = 0x10;
 * const guest = asm`
 *   mov al, 'A'
 *   out ${port}, al
 *   hlt
 * `;
 * console.log(guest.assemble({ bits: 16, origin: 0x7c00 }).bytes);
 * ```
 */
export function asm(
  strings: TemplateStringsArray,
  ...values: (number | bigint | string | Assembly)[]
): Assembly {
  const source = strings.raw.reduce((text, part, index) => text + spell(values[index - 1]) + part);
  return new Assembly(source);
}

function spell(value: number | bigint | string | Assembly): string {
  if (typeof value === "string") return value;
  if (value instanceof Assembly) return value.source;
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`${value} is not a safe integer; interpolate a bigint`);
  }
  // In parentheses, so that -1 stays one operand wherever it is spliced in.
  return value < 0 ? `(${value})` : String(value);
}
