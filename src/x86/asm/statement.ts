import type { Bits } from "./codec.ts";
import { AssemblyError, SourceFault } from "./error.ts";
import { type Expression, parseExpression, type Qualify } from "./expression.ts";
import { InstructionStatement } from "./instruction.ts";
import { describe, tokenize, TokenReader } from "./lexer.ts";

/** One value of a db, dw, dd or dq. */
export type DataItem =
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "expression"; expression: Expression };

/** What a source line makes: bytes or a symbol. */
export type Body =
  | { kind: "label"; name: string }
  | { kind: "equ"; name: string; expression: Expression }
  | { kind: "data"; unit: number; items: DataItem[] }
  | { kind: "reserve"; unit: number; count: Expression }
  | { kind: "align"; boundary: Expression; fill?: Expression }
  | { kind: "times"; count: Expression; body: Body }
  | { kind: "instruction"; instruction: InstructionStatement };

/** A parsed statement and where it stands. */
export interface Statement {
  body: Body;
  bits: Bits;
  /** 1-based. */
  line: number;
  column: number;
}

const UNITS: Record<string, number> = { b: 1, w: 2, d: 4, q: 8 };

/** Parses a whole source; `lines` are its lines. */
export function parseSource(lines: readonly string[], initialBits: Bits): Statement[] {
  const statements: Statement[] = [];
  let bits = initialBits;
  let global: string | undefined;
  const qualify: Qualify = (name, column) => {
    if (!name.startsWith(".")) return name;
    if (global === undefined) {
      throw new SourceFault(`local label ${name} has no global label before it`, column);
    }
    return global + name;
  };
  lines.forEach((text, index) => {
    const line = index + 1;
    try {
      const reader = new TokenReader(tokenize(text));
      for (;;) {
        const token = reader.peek();
        const column = token.column;
        if (token.kind === "end") return;
        if (token.kind !== "identifier") {
          throw new SourceFault(`expected an instruction but found ${describe(token)}`, column);
        }
        const follower = reader.word(1);
        const define = (body: Body): void => {
          statements.push({ body, bits, line, column });
        };
        if (
          reader.at(":", 1) || /^(equ|d[bwdq]|res[bwdq]|times)$/.test(follower ?? "") &&
            !/^(times|d[bwdq]|res[bwdq])$/i.test(token.text)
        ) {
          const name = qualify(token.text, column);
          reader.next();
          reader.accept(":");
          if (reader.word() === "equ") {
            reader.next();
            define({ kind: "equ", name, expression: parseExpression(reader, qualify) });
            reader.expectEnd();
            return;
          }
          if (!token.text.startsWith(".")) global = name;
          define({ kind: "label", name });
          continue;
        }
        if (reader.word() === "bits") {
          reader.next();
          bits = parseBits(reader);
          return;
        }
        define(parseBody(reader, bits, qualify));
        return;
      }
    } catch (error) {
      throw locate(error, line, text);
    }
  });
  return statements;
}

/** Gives a fault its line; anything else stays what it is. */
export function locate(error: unknown, line: number, text: string): unknown {
  if (!(error instanceof SourceFault)) return error;
  return new AssemblyError(error.reason, line, Math.max(error.column, 1), text);
}

function parseBits(reader: TokenReader): Bits {
  const token = reader.next();
  reader.expectEnd();
  const value = token.kind === "number" ? Number(token.value) : 0;
  if (value === 16 || value === 32 || value === 64) return value;
  throw new SourceFault("expected bits 16, bits 32 or bits 64", token.column);
}

function parseBody(reader: TokenReader, bits: Bits, qualify: Qualify): Body {
  const word = reader.word()!;
  const column = reader.column;
  const sized = /^(d|res)([bwdq])$/.exec(word);
  if (sized) {
    reader.next();
    const unit = UNITS[sized[2]];
    if (sized[1] === "d") return { kind: "data", unit, items: parseData(reader, unit, qualify) };
    const count = parseExpression(reader, qualify);
    reader.expectEnd();
    return { kind: "reserve", unit, count };
  }
  switch (word) {
    case "align": {
      reader.next();
      const boundary = parseExpression(reader, qualify);
      let fill: Expression | undefined;
      if (reader.accept(",")) {
        if (reader.word() === "db") reader.next();
        fill = parseExpression(reader, qualify);
      }
      reader.expectEnd();
      return { kind: "align", boundary, fill };
    }
    case "times": {
      reader.next();
      const count = parseExpression(reader, qualify);
      if (reader.peek().kind !== "identifier") {
        throw new SourceFault("times needs an instruction or data to repeat", reader.column);
      }
      const body = parseBody(reader, bits, qualify);
      if (body.kind === "times") throw new SourceFault("times cannot repeat times", column);
      return { kind: "times", count, body };
    }
    case "org":
      throw new SourceFault(
        `the load address is the "origin" option, not a directive: remove org`,
        column,
      );
    case "equ":
      throw new SourceFault("equ needs a name before it", column);
  }
  return { kind: "instruction", instruction: new InstructionStatement(reader, bits, qualify) };
}

function parseData(reader: TokenReader, unit: number, qualify: Qualify): DataItem[] {
  const items: DataItem[] = [];
  do {
    const token = reader.peek();
    const last = reader.at(",", 1) || reader.peek(1).kind === "end";
    if (token.kind === "string" && last) {
      reader.next();
      // A string fills whole units; the rest of the last one is zero.
      const bytes = new Uint8Array(Math.ceil(token.bytes.length / unit) * unit);
      bytes.set(token.bytes);
      items.push({ kind: "bytes", bytes });
    } else if (token.kind === "float" || (reader.at("-") && reader.peek(1).kind === "float")) {
      items.push({ kind: "bytes", bytes: parseFloatBytes(reader, unit) });
    } else items.push({ kind: "expression", expression: parseExpression(reader, qualify) });
  } while (reader.accept(","));
  reader.expectEnd();
  return items;
}

function parseFloatBytes(reader: TokenReader, unit: number): Uint8Array {
  const negative = reader.accept("-");
  const token = reader.next();
  if (token.kind !== "float") throw new SourceFault("expected a number", token.column);
  const value = negative ? -token.value : token.value;
  if (unit === 4) return new Uint8Array(new Float32Array([value]).buffer);
  if (unit === 8) return new Uint8Array(new Float64Array([value]).buffer);
  throw new SourceFault("floating-point data needs dd or dq", token.column);
}
