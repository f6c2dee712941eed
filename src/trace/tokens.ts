import { ANY, type Choice, type Wildcard } from "./event.ts";
import { maximum, NUMBER } from "./grammar.ts";

/** A text is not a trace: where, what stands there, and what was expected. */
export class TraceError extends Error {
  /** The class's name. */
  override readonly name = "TraceError";
  /** Line in the text, from 1. */
  readonly line: number;
  /** Column in the line, from 1, in UTF-16 code units. */
  readonly column: number;
  /** The text at fault; empty where something is missing. */
  readonly token: string;
  /** What may stand there. */
  readonly expected: string;

  /** An error at a place in the text. */
  constructor(line: number, column: number, token: string, expected: string) {
    const found = token === "" ? "nothing" : JSON.stringify(token);
    super(`trace line ${line}, column ${column}: expected ${expected}, found ${found}`);
    this.line = line;
    this.column = column;
    this.token = token;
    this.expected = expected;
  }
}

/** A piece of a line: a bracket, or what stands between blanks and brackets. */
export interface Token {
  /** The piece itself. */
  readonly text: string;
  /** Where it begins, from 1. */
  readonly column: number;
}

/** Reads the tokens of one line, from left to right. */
export class LineReader {
  readonly #line: number;
  readonly #tokens: Token[] = [];
  readonly #end: Token;
  #next = 0;

  /** A reader of one line, without its comment; `patterns` says whether `*` and `|` are allowed. */
  constructor(line: number, text: string, readonly patterns: boolean) {
    this.#line = line;
    const content = text.split("#", 1)[0].replace(/[ \t\r]+$/, "");
    for (const match of content.matchAll(/[^ \t\r[\]]+|[[\]]/g)) {
      const token = { text: match[0], column: match.index + 1 };
      this.#refuseGlued(token);
      this.#tokens.push(token);
    }
    this.#end = { text: "", column: content.length + 1 };
  }

  // `u8[0x1]` and `[0x1]u8` are not two operands; `key=[0x1]` is one.
  #refuseGlued(token: Token): void {
    const before = this.#tokens.at(-1);
    if (before === undefined || before.column + before.text.length < token.column) return;
    const opens = token.text === "[" && before.text.endsWith("=");
    const inside = before.text === "[" || token.text === "]";
    if (!opens && !inside) this.fail("a blank", token);
  }

  /** The next token, or an empty one at the end of the line. */
  peek(): Token {
    return this.#tokens[this.#next] ?? this.#end;
  }

  /** The next token, which is consumed. */
  take(): Token {
    const token = this.peek();
    if (token !== this.#end) this.#next++;
    return token;
  }

  /** Consumes the next token if it is `text`. */
  skip(text: string): boolean {
    const found = this.peek().text === text;
    if (found) this.take();
    return found;
  }

  /**
   * The token is at fault.
   *
   * @throws {TraceError} always.
   */
  fail(expected: string, token: Token): never {
    throw new TraceError(this.#line, token.column, token.text, expected);
  }

  /** The number that a token is, of at most so many bits. */
  number(token: Token, bits: number, expected: string): bigint {
    if (!NUMBER.test(token.text)) this.fail(expected, token);
    const value = BigInt(token.text);
    const most = maximum(bits);
    if (value > most) this.fail(`at most 0x${most.toString(16)} (u${bits})`, token);
    return value;
  }

  /** What a token says: one operand, or a pattern in place of it. */
  operand<T extends bigint | string>(
    token: Token,
    atom: (token: Token) => T,
    concrete = false,
  ): T | Wildcard | Choice {
    const pieces = token.text.split("|");
    if (token.text !== "*" && pieces.length === 1) return atom(token);
    if (!this.patterns) this.fail("one value: a recorded trace holds no pattern", token);
    if (concrete) this.fail("one value: no pattern names a line of the final state", token);
    if (token.text === "*") return ANY;
    let column = token.column;
    const oneOf = pieces.map((text) => {
      const piece = { text, column };
      column += text.length + 1;
      if (text === "") this.fail("an alternative on each side of `|`", token);
      return atom(piece);
    });
    return { oneOf };
  }

  /** The elements of a list whose opening bracket is consumed, and the closing bracket. */
  list<T>(element: (token: Token) => T, expected: string): T[] {
    const elements: T[] = [];
    while (!this.skip("]")) {
      const token = this.take();
      if (token.text === "" || token.text === "[") this.fail(`${expected} or \`]\``, token);
      elements.push(element(token));
    }
    return elements;
  }
}
