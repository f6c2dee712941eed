import type { Bits, EncoderOperand } from "./codec.ts";
import { SourceFault } from "./error.ts";
import {
  evaluate,
  type Expression,
  parseExpression,
  type Qualify,
  type Scope,
} from "./expression.ts";
import type { TokenReader } from "./lexer.ts";
import { type Register, registers } from "./registers.ts";

/** The size words, in bytes. */
export const SIZE_WORDS: Readonly<Record<string, number>> = {
  byte: 1,
  word: 2,
  dword: 4,
  fword: 6,
  qword: 8,
  tword: 10,
  tbyte: 10,
  oword: 16,
  xmmword: 16,
  yword: 32,
  ymmword: 32,
  zword: 64,
  zmmword: 64,
};

/** What surrounds an operand: the mode, and what a prefix said about the address. */
export interface OperandContext {
  bits: Bits;
  qualify: Qualify;
  addressSize?: Bits;
  segment?: Register;
}

/** Fails for a register that this mode does not have. */
export function requireMode(register: Register, bits: Bits, column: number): void {
  if (register.long && bits !== 64) {
    throw new SourceFault(`register ${register.name} exists in 64-bit mode only`, column);
  }
}

/** A memory address as written, with its registers in their places. */
export interface Address {
  segment?: Register;
  base?: Register;
  index?: Register;
  scale: 1 | 2 | 4 | 8;
  displacement?: Expression;
  /** Bytes of the displacement, where a size word stands inside the brackets. */
  displacementSize?: number;
  /** RIP-relative. */
  relative: boolean;
  /** Bits. */
  size: Bits;
  column: number;
}

/** Parses `[...]`, with the segment register in front of it or a prefix's, if any. */
export function parseAddress(
  reader: TokenReader,
  context: OperandContext,
  outerSegment: Register | undefined,
): Address {
  const column = reader.column;
  reader.expect("[");
  let segment = outerSegment;
  let displacementSize: number | undefined;
  let relative = false;
  for (;;) {
    const word = reader.word();
    if (word === undefined) break;
    if (word === "rel" || word === "abs") relative = word === "rel";
    else if (/^a(16|32|64)$/.test(word)) {
      context = { ...context, addressSize: Number(word.slice(1)) as Bits };
    } else if (Object.hasOwn(SIZE_WORDS, word)) displacementSize = SIZE_WORDS[word];
    else if (reader.at(":", 1) && registers.get(word)?.class === "sreg") {
      if (segment !== undefined) {
        throw new SourceFault("a second segment override", reader.column);
      }
      segment = registers.get(word);
      reader.next();
    } else break;
    reader.next();
  }
  const expression = parseExpression(reader, context.qualify, true);
  reader.expect("]");
  const terms = linearize(expression);
  for (const term of terms.registers) requireMode(term.register, context.bits, term.column);
  if (relative) {
    if (context.bits !== 64) throw new SourceFault("[rel ...] exists in 64-bit mode only", column);
    if (terms.registers.length > 0) {
      throw new SourceFault("[rel ...] takes no registers", terms.registers[0].column);
    }
  }
  const places = placeRegisters(terms.registers, column);
  const size = addressSize(places, displacementSize, context, column);
  if (size === 16) checkWordAddress(places, column);
  const whole = size === 64 && places.base === undefined ? [4, 8] : [1, Math.min(size / 8, 4)];
  if (displacementSize !== undefined && !whole.includes(displacementSize)) {
    if (places.base ?? places.index) {
      throw new SourceFault(`a ${size}-bit address has no such displacement`, column);
    }
  }
  return {
    segment,
    ...places,
    displacement: terms.displacement,
    displacementSize,
    relative,
    size,
    column,
  };
}

interface RegisterTerm {
  register: Register;
  factor: number;
  column: number;
}

/** An address expression as a sum of registers with factors and the rest. */
function linearize(
  expression: Expression,
): { registers: RegisterTerm[]; displacement?: Expression } {
  if (expression.kind === "register") {
    const register = registers.get(expression.name)!;
    return { registers: [{ register, factor: 1, column: expression.column }] };
  }
  if (!hasRegister(expression)) return { registers: [], displacement: expression };
  if (expression.kind === "binary") {
    const { operator, column } = expression;
    if (operator === "+" || operator === "-") {
      const left = linearize(expression.left);
      const right = linearize(expression.right);
      if (operator === "-" && right.registers.length > 0) {
        throw new SourceFault("a register cannot be subtracted", right.registers[0].column);
      }
      const displacement = right.displacement === undefined
        ? left.displacement
        : left.displacement === undefined && operator === "+"
        ? right.displacement
        : left.displacement === undefined
        ? { kind: "unary" as const, operator: "-", operand: right.displacement, column }
        : {
          kind: "binary" as const,
          operator,
          left: left.displacement,
          right: right.displacement,
          column,
        };
      return { registers: mergeTerms([...left.registers, ...right.registers]), displacement };
    }
    if (operator === "*") {
      const [scaled, factor] = hasRegister(expression.left)
        ? [expression.left, expression.right]
        : [expression.right, expression.left];
      if (scaled.kind === "register" && factor.kind === "number") {
        const register = registers.get(scaled.name)!;
        return { registers: [{ register, factor: Number(factor.value), column: scaled.column }] };
      }
    }
  }
  throw new SourceFault(
    "a register can only be added, or multiplied by a number",
    firstRegister(expression),
  );
}

function mergeTerms(terms: RegisterTerm[]): RegisterTerm[] {
  const merged: RegisterTerm[] = [];
  for (const term of terms) {
    const same = merged.find((other) => other.register.name === term.register.name);
    // [eax+eax] stays a base and an index; only a third occurrence needs a larger factor.
    if (same === undefined || (same.factor === 1 && term.factor === 1 && merged.length === 1)) {
      merged.push({ ...term });
    } else same.factor += term.factor;
  }
  return merged;
}

function hasRegister(expression: Expression): boolean {
  switch (expression.kind) {
    case "register":
      return true;
    case "unary":
      return hasRegister(expression.operand);
    case "binary":
      return hasRegister(expression.left) || hasRegister(expression.right);
    default:
      return false;
  }
}

function firstRegister(expression: Expression): number {
  if (expression.kind === "unary") return firstRegister(expression.operand);
  if (expression.kind === "binary") {
    return firstRegister(hasRegister(expression.left) ? expression.left : expression.right);
  }
  return expression.column;
}

type Places = Pick<Address, "base" | "index" | "scale">;

const isVector = (register: Register): boolean => /^[xyz]mm$/.test(register.class);

function placeRegisters(terms: RegisterTerm[], column: number): Places {
  for (const { register, column } of terms) {
    if (!/^r(16|32|64)$/.test(register.class) && !isVector(register)) {
      throw new SourceFault(`register ${register.name} cannot be part of an address`, column);
    }
  }
  if (terms.length > 2) throw new SourceFault("an address has at most two registers", column);
  if (terms.length === 0) return { scale: 1 };
  let [first, second] = terms;
  if (second === undefined) {
    if (first.factor === 1 && !isVector(first.register)) return { base: first.register, scale: 1 };
    // factors 3, 5 and 9 are the register as a base and 2, 4 or 8 times the same as an index
    if ([3, 5, 9].includes(first.factor)) {
      return {
        base: first.register,
        index: first.register,
        scale: checkScale({ ...first, factor: first.factor - 1 }),
      };
    }
    return { index: first.register, scale: checkScale(first) };
  }
  // The stack pointer has no encoding as an index, and BX and BP are the bases of 16-bit addresses.
  const cannotBeIndex = (term: RegisterTerm): boolean =>
    /^[er]?sp$/.test(term.register.name) || /^b[xp]$/.test(term.register.name);
  if (
    first.factor !== 1 || isVector(first.register) || (second.factor === 1 &&
      !isVector(second.register) && cannotBeIndex(second))
  ) {
    [first, second] = [second, first];
  }
  if (first.factor !== 1 || isVector(first.register)) {
    throw new SourceFault("only one register of an address can be scaled", second.column);
  }
  if (!isVector(second.register) && first.register.class !== second.register.class) {
    throw new SourceFault(
      `${first.register.name} and ${second.register.name} differ in size`,
      Math.max(first.column, second.column),
    );
  }
  if (/^[er]?sp$/.test(second.register.name)) {
    throw new SourceFault(`${second.register.name} cannot be an index`, second.column);
  }
  return { base: first.register, index: second.register, scale: checkScale(second) };
}

function checkScale(term: RegisterTerm): 1 | 2 | 4 | 8 {
  const { factor, register, column } = term;
  if (/^[er]?sp$/.test(register.name)) {
    throw new SourceFault(`${register.name} cannot be an index`, column);
  }
  if (factor === 1 || factor === 2 || factor === 4 || factor === 8) return factor;
  throw new SourceFault(`a register cannot be scaled by ${factor}`, column);
}

function addressSize(
  places: Places,
  displacementSize: number | undefined,
  context: OperandContext,
  column: number,
): Bits {
  const register = [places.base, places.index].find((r) => r !== undefined && !isVector(r));
  const byRegister = register && Number(register.class.slice(1)) as Bits;
  const byWord = places.base === undefined && places.index === undefined &&
      (displacementSize === 2 || displacementSize === 4 || displacementSize === 8)
    ? displacementSize * 8 as Bits
    : undefined;
  const size = byRegister ?? byWord ?? context.addressSize ?? context.bits;
  if (context.addressSize !== undefined && size !== context.addressSize) {
    throw new SourceFault(`a ${size}-bit address after a${context.addressSize}`, column);
  }
  if (context.bits === 64 ? size === 16 : size === 64) {
    throw new SourceFault(`no ${size}-bit addresses in ${context.bits}-bit mode`, column);
  }
  return size;
}

function checkWordAddress({ base, index, scale }: Places, column: number): void {
  const text = [base?.name, index?.name].filter((name) => name !== undefined).join("+");
  if (scale !== 1 || !/^((b[xp]\+)?[sd]i|b[xp]|)$/.test(text)) {
    throw new SourceFault(`[${text}] is no 16-bit address`, column);
  }
}

/** What an address becomes; `grow` says whether its displacement was once too large for a byte. */
export function encodeAddress(
  address: Address,
  scope: Scope,
  relaxation: { wideDisplacement: boolean },
  wholeOffset: boolean,
): EncoderOperand & { kind: "memory" } {
  const { base, index, scale, size, column } = address;
  const evaluated = address.displacement && evaluate(address.displacement, scope);
  const known = address.displacement === undefined || evaluated !== undefined;
  const { value, relocation } = evaluated ?? { value: 0n, relocation: 0 };
  const operand = {
    kind: "memory" as const,
    base: base?.name,
    index: index?.name,
    scale,
    displacement: value,
    displacementSize: size / 8,
    segment: address.segment?.name,
  };
  if (address.relative) {
    return {
      ...operand,
      base: "rip",
      displacement: BigInt.asUintN(64, known ? value : scope.here),
      displacementSize: 8,
    };
  }
  if (wholeOffset) {
    checkRange(value, -(1n << BigInt(size - 1)), (1n << BigInt(size)) - 1n, address);
    return { ...operand, displacement: BigInt.asUintN(size, value) };
  }
  const limit = 1n << BigInt(size === 16 ? 16 : 32);
  const displacement = BigInt.asIntN(size, value);
  if (size === 64) {
    if (
      value < -(limit >> 1n) || value >= 1n << 64n || displacement >= limit >> 1n ||
      displacement < -(limit >> 1n)
    ) {
      throw new SourceFault(
        `address 0x${BigInt.asUintN(64, value).toString(16)} does not fit a sign-extended 32-bit ` +
          "displacement; put it in a register, or write [dword ...] for a zero-extended address",
        column,
      );
    }
  } else checkRange(value, -(limit >> 1n), limit - 1n, address);
  if (base === undefined) {
    // A 16-bit offset without a register is unsigned to the encoder.
    return { ...operand, displacement: size === 16 ? BigInt.asUintN(16, value) : displacement };
  }
  const forced = address.displacementSize;
  const short = displacement >= -128n && displacement <= 127n;
  if (forced === 1) {
    if (!short) checkRange(value, -128n, 127n, address);
    return { ...operand, displacement, displacementSize: 1 };
  }
  if (forced !== undefined || (known && address.displacement && (!short || relocation !== 0))) {
    relaxation.wideDisplacement = true;
  }
  if (relaxation.wideDisplacement) return { ...operand, displacement };
  return { ...operand, displacement, displacementSize: known && value === 0n ? 0 : 1 };
}

function checkRange(value: bigint, low: bigint, high: bigint, address: Address): void {
  if (value < low || value > high) {
    throw new SourceFault(
      `displacement ${value} is out of range (${low} to ${high})`,
      address.displacement?.column ?? address.column,
    );
  }
}
