import { SourceFault } from "./error.ts";

/** One token of a source line. */
export type Token =
  | { kind: "identifier"; text: string; column: number }
  | { kind: "number"; text: string; value: bigint; column: number }
  | { kind: "float"; text: string; value: number; column: number }
  | { kind: "string"; text: string; bytes: Uint8Array; column: number }
  | { kind: "punctuation"; text: string; column: number }
  | { kind: "end"; text: string; column: number };

const IDENTIFIER = /[A-Za-z_.?@][A-Za-z0-9_.?@$#~]*/y;
const NUMBER = /[0-9][0-9A-Za-z_]*/y;
const FLOAT = /[0-9][0-9_]*\.[0-9_]*(?:[eE][+-]?[0-9]+)?/y;
const PUNCTUATION = /<<|>>|\/\/|%%|\$\$|[-+*\/%&|^~()\[\]:,$!]/y;
const encoder = new TextEncoder();

/** Splits one source line (comment included) into tokens; the last one is always `end`. */
export function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(line)?.[0];
  };
  for (;;) {
    while (position < line.length && /\s/.test(line[position])) position++;
    const column = position + 1;
    const character = line[position];
    if (character === undefined || character === ";") {
      tokens.push({ kind: "end", text: "end of line", column });
      return tokens;
    }
    if (character === '"' || character === "'") {
      const close = line.indexOf(character, position + 1);
      if (close < 0) throw new SourceFault(`string is not closed by ${character}`, column);
      const text = line.slice(position, close + 1);
      tokens.push({ kind: "string", text, bytes: encoder.encode(text.slice(1, -1)), column });
      position = close + 1;
      continue;
    }
    let text: string | undefined;
    if ((text = match(FLOAT)) !== undefined) {
      const value = Number(text.replaceAll("_", ""));
      tokens.push({ kind: "float", text, value, column });
    } else if ((text = match(NUMBER)) !== undefined) {
      tokens.push({ kind: "number", text, value: parseNumber(text, column), column });
    } else if ((text = match(IDENTIFIER)) !== undefined) {
      tokens.push({ kind: "identifier", text, column });
    } else if ((text = match(PUNCTUATION)) !== undefined) {
      tokens.push({ kind: "punctuation", text, column });
    } else {
      throw new SourceFault(`unexpected character ${JSON.stringify(character)}`, column);
    }
    position += text.length;
  }
}

function parseNumber(text: string, column: number): bigint {
  const digits = text.replaceAll("_", "").toLowerCase();
  const prefixed = /^0(?:x([0-9a-f]+)|[oq]([0-7]+)|b([01]+)|d([0-9]+))$/.exec(digits);
  // A trailing h makes 0b1h and 0d1h hexadecimal, so prefixes are tried only when all of it fits.
  if (prefixed) {
    const [, hex, octal, binary, decimal] = prefixed;
    if (hex !== undefined) return BigInt("0x" + hex);
    if (octal !== undefined) return BigInt("0o" + octal);
    if (binary !== undefined) return BigInt("0b" + binary);
    return BigInt(decimal);
  }
  const suffixed = /^(?:([0-9][0-9a-f]*)h|([0-7]+)[oq]|([01]+)b|([0-9]+)d?)$/.exec(digits);
  if (suffixed) {
    const [, hex, octal, binary, decimal] = suffixed;
    if (hex !== undefined) return BigInt("0x" + hex);
    if (octal !== undefined) return BigInt("0o" + octal);
    if (binary !== undefined) return BigInt("0b" + binary);
    return BigInt(decimal);
  }
  throw new SourceFault(`"${text}" is not a number`, column);
}

/** A cursor over the tokens of one line. */
export class TokenReader {
  #tokens: Token[];
  #index = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  /** The token `ahead` places after the current one, without consuming anything. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)];
  }

  /** Consumes and gives the current token. */
  next(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.#index++;
    return token;
  }

  /** Is the current token this punctuation? */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "punctuation" && token.text === text;
  }

  /** Consumes the current token if it is this punctuation. */
  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.#index++;
    return true;
  }

  /** Consumes this punctuation or fails. */
  expect(text: string): void {
    if (!this.accept(text)) {
      throw new SourceFault(`expected "${text}" but found ${describe(this.peek())}`, this.column);
    }
  }

  /** The current token as a lower-case word, or undefined. */
  word(ahead = 0): string | undefined {
    const token = this.peek(ahead);
    return token.kind === "identifier" ? token.text.toLowerCase() : undefined;
  }

  /** 1-based column of the current token. */
  get column(): number {
    return this.peek().column;
  }

  /** Fails unless the line is used up. */
  expectEnd(): void {
    if (this.peek().kind !== "end") {
      throw new SourceFault(`unexpected ${describe(this.peek())}`, this.column);
    }
  }
}

/** A token as an error message names it. */
export function describe(token: Token): string {
  return token.kind === "end" ? "the end of the line" : JSON.stringify(token.text);
}
