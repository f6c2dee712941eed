import {
  type Address,
  type OperandContext,
  parseAddress,
  requireMode,
  SIZE_WORDS,
} from "./address.ts";
import { SourceFault } from "./error.ts";
import { type Expression, parseExpression } from "./expression.ts";
import type { TokenReader } from "./lexer.ts";
import { type Register, registers } from "./registers.ts";

/** An operand as written. */
export type Operand =
  | { kind: "register"; register: Register; column: number }
  | {
    kind: "immediate";
    expression: Expression;
    /** Bytes, where a size word is written. */
    size?: number;
    distance?: "short" | "near";
    column: number;
  }
  | { kind: "far"; selector: Expression; offset: Expression; size?: number; column: number }
  | { kind: "memory"; address: Address; size?: number; far: boolean; column: number };

/** Parses one operand. */
export function parseOperand(reader: TokenReader, context: OperandContext): Operand {
  const column = reader.column;
  let size: number | undefined;
  let distance: "short" | "near" | undefined;
  let far = false;
  for (;;) {
    const word = reader.word();
    if (word === undefined) break;
    if (Object.hasOwn(SIZE_WORDS, word)) {
      if (size !== undefined) throw new SourceFault("a second size word", reader.column);
      size = SIZE_WORDS[word];
    } else if (word === "short" || word === "near") distance = word;
    else if (word === "far") far = true;
    else if (word === "strict") {
      throw new SourceFault(`"strict" is not supported; leave it out`, reader.column);
    } else if (word !== "ptr") break;
    reader.next();
  }
  if (reader.at("[")) {
    const address = parseAddress(reader, context, context.segment);
    return { kind: "memory", address, size, far, column };
  }
  const register = registers.get(reader.word() ?? "");
  if (register !== undefined) {
    requireMode(register, context.bits, reader.column);
    const registerColumn = reader.column;
    reader.next();
    if (register.class === "sreg" && reader.accept(":")) {
      const address = parseAddress(reader, context, register);
      return { kind: "memory", address, size, far, column };
    }
    if (register.name === "st0" && reader.accept("(")) {
      const token = reader.next();
      if (token.kind !== "number" || token.value > 7n) {
        throw new SourceFault("expected st(0) to st(7)", token.column);
      }
      reader.expect(")");
      return { kind: "register", register: registers.get(`st${token.value}`)!, column };
    }
    if (size !== undefined || distance !== undefined || far) {
      throw new SourceFault("a size word in front of a register", column);
    }
    return { kind: "register", register, column: registerColumn };
  }
  const expression = parseExpression(reader, context.qualify);
  if (reader.accept(":")) {
    const offset = parseExpression(reader, context.qualify);
    return { kind: "far", selector: expression, offset, size, column };
  }
  if (far) {
    throw new SourceFault(`a far branch needs "selector:offset" or a memory operand`, column);
  }
  return { kind: "immediate", expression, size, distance, column };
}
