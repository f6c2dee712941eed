import { SourceFault } from "./error.ts";
import { describe, type TokenReader } from "./lexer.ts";
import { registers } from "./registers.ts";

/** An expression, evaluated anew in each layout pass. Registers occur inside brackets only. */
export type Expression =
  | { kind: "number"; value: bigint; column: number }
  | { kind: "symbol"; name: string; column: number }
  | { kind: "here" | "start"; column: number }
  | { kind: "register"; name: string; column: number }
  | { kind: "unary"; operator: string; operand: Expression; column: number }
  | {
    kind: "binary";
    operator: string;
    left: Expression;
    right: Expression;
    column: number;
  };

/** A value, and how often the load address is counted in it (0 for a plain number). */
export interface Value {
  value: bigint;
  relocation: number;
}

/** What symbols mean at one statement; a lookup gives undefined while a symbol is not yet placed. */
export interface Scope {
  lookup(name: string, column: number): Value | undefined;
  here: bigint;
  start: bigint;
}

const PRECEDENCE: Record<string, number> = {
  "|": 1,
  "^": 2,
  "&": 3,
  "<<": 4,
  ">>": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
  "//": 6,
  "%%": 6,
};

/** Gives a symbol's full name: `.name` belongs to the last global label. */
export type Qualify = (name: string, column: number) => string;

/** Parses an expression; registers are allowed inside brackets only. */
export function parseExpression(
  reader: TokenReader,
  qualify: Qualify,
  registersAllowed = false,
  minimum = 1,
): Expression {
  let left = parseUnary(reader, qualify, registersAllowed);
  for (;;) {
    const token = reader.peek();
    const precedence = token.kind === "punctuation" ? PRECEDENCE[token.text] : undefined;
    if (precedence === undefined || precedence < minimum) return left;
    reader.next();
    const right = parseExpression(reader, qualify, registersAllowed, precedence + 1);
    left = { kind: "binary", operator: token.text, left, right, column: token.column };
  }
}

function parseUnary(reader: TokenReader, qualify: Qualify, registersAllowed: boolean): Expression {
  const token = reader.next();
  const column = token.column;
  switch (token.kind) {
    case "number":
      return { kind: "number", value: token.value, column };
    case "string":
      return { kind: "number", value: characterConstant(token.bytes, column), column };
    case "identifier": {
      const name = token.text.toLowerCase();
      if (!registers.has(name)) {
        return { kind: "symbol", name: qualify(token.text, column), column };
      }
      if (registersAllowed) return { kind: "register", name, column };
      throw new SourceFault(`register ${token.text} cannot be part of an expression`, column);
    }
    case "punctuation":
      switch (token.text) {
        case "-":
        case "+":
        case "~": {
          const operand = parseUnary(reader, qualify, registersAllowed);
          return { kind: "unary", operator: token.text, operand, column };
        }
        case "$":
          return { kind: "here", column };
        case "$$":
          return { kind: "start", column };
        case "(": {
          const inner = parseExpression(reader, qualify, registersAllowed);
          reader.expect(")");
          return inner;
        }
      }
  }
  throw new SourceFault(`expected a value but found ${describe(token)}`, column);
}

/** The little-endian number of a quoted character constant of up to eight bytes. */
function characterConstant(bytes: Uint8Array, column: number): bigint {
  if (bytes.length === 0 || bytes.length > 8) {
    throw new SourceFault("a character constant has 1 to 8 bytes", column);
  }
  return bytes.reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
}

/** The value of an expression, or undefined while it needs a symbol that is not yet placed. */
export function evaluate(expression: Expression, scope: Scope): Value | undefined {
  switch (expression.kind) {
    case "number":
      return { value: expression.value, relocation: 0 };
    case "symbol":
      return scope.lookup(expression.name, expression.column);
    case "here":
      return { value: scope.here, relocation: 1 };
    case "start":
      return { value: scope.start, relocation: 1 };
    case "register":
      throw new SourceFault(
        `register ${expression.name} can only be added, or multiplied by a number`,
        expression.column,
      );
    case "unary": {
      const operand = evaluate(expression.operand, scope);
      if (operand === undefined) return undefined;
      if (expression.operator === "+") return operand;
      return expression.operator === "-"
        ? { value: -operand.value, relocation: -operand.relocation }
        : { value: ~operand.value, relocation: operand.relocation === 0 ? 0 : NaN };
    }
    case "binary": {
      const left = evaluate(expression.left, scope);
      const right = evaluate(expression.right, scope);
      if (left === undefined || right === undefined) return undefined;
      return combine(expression.operator, left, right, expression.column);
    }
  }
}

function combine(operator: string, left: Value, right: Value, column: number): Value {
  // What is neither a plain number nor a sum of addresses counts as an address, as does NaN.
  const mixed = left.relocation === 0 && right.relocation === 0 ? 0 : NaN;
  const a = left.value;
  const b = right.value;
  switch (operator) {
    case "+":
      return { value: a + b, relocation: left.relocation + right.relocation };
    case "-":
      return { value: a - b, relocation: left.relocation - right.relocation };
    case "*":
      return { value: a * b, relocation: mixed };
    case "&":
      return { value: a & b, relocation: mixed };
    case "|":
      return { value: a | b, relocation: mixed };
    case "^":
      return { value: a ^ b, relocation: mixed };
    case "<<":
    case ">>":
      if (b < 0n || b > 64n) throw new SourceFault(`cannot shift by ${b} bits`, column);
      return {
        value: operator === "<<" ? a << b : BigInt.asUintN(64, a) >> b,
        relocation: mixed,
      };
  }
  if (b === 0n) throw new SourceFault("division by zero", column);
  if ((operator === "/" || operator === "%") && (a < 0n || b < 0n)) {
    throw new SourceFault(
      `"${operator}" is unsigned; use "${operator}${operator}" on negative numbers`,
      column,
    );
  }
  return { value: operator[0] === "/" ? a / b : a % b, relocation: mixed };
}

/** Is the value the same everywhere and in every layout pass? */
export function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case "number":
      return true;
    case "unary":
      return isConstant(expression.operand);
    case "binary":
      return isConstant(expression.left) && isConstant(expression.right);
    default:
      return false;
  }
}
