import { type Address, encodeAddress, type OperandContext } from "./address.ts";
import {
  type Bits,
  encode,
  type EncoderOperand,
  type Form,
  formsOf,
  type Prefixes,
} from "./codec.ts";
import { AssemblerUnavailableError, SourceFault } from "./error.ts";
import {
  evaluate,
  type Expression,
  isConstant,
  type Qualify,
  type Scope,
  type Value,
} from "./expression.ts";
import type { TokenReader } from "./lexer.ts";
import { type Candidate, candidatesFor, immediateFits } from "./match.ts";
import { completeOperands, STRING_MNEMONICS, stringOperands } from "./implied_operands.ts";
import { resolveMnemonic } from "./mnemonics.ts";
import { type Operand, parseOperand } from "./operand.ts";
import { type Register, registers } from "./registers.ts";

interface WrittenPrefixes extends Prefixes {
  segment?: Register;
  operandSize?: Bits;
  addressSize?: Bits;
  /** 1-based column of each prefix, by its kind. */
  columns: Record<string, number>;
}

const REPEATS: Record<string, "rep" | "repne"> = {
  rep: "rep",
  repe: "rep",
  repz: "rep",
  repne: "repne",
  repnz: "repne",
};

/** What one attempt to encode gives. */
export interface Attempt {
  bytes: Uint8Array;
  /** Set when the values do not fit; the bytes then only hold the place. */
  fault?: SourceFault;
}

/** What layout passes have found too small; it only grows, so that the passes come to an end. */
interface Relaxation {
  /** Index of the smallest candidate that may still do. */
  level: number;
  wideDisplacement: boolean;
}

/** An instruction whose form is settled as far as it can be before the addresses are known. */
export class InstructionStatement {
  readonly #bits: Bits;
  readonly #column: number;
  readonly #candidates: Candidate[];
  readonly #prefixes: Prefixes;
  readonly #addressSize: Bits;
  readonly #segment: Register | undefined;
  #constant: Attempt | undefined;
  // One for each repetition by TIMES.
  #relaxations: Relaxation[] = [];
  /** Do its bytes depend on where it is? */
  readonly placed: boolean;

  /** Parses the instruction at the reader, up to the end of the line. */
  constructor(reader: TokenReader, bits: Bits, qualify: Qualify) {
    this.#bits = bits;
    const prefixes = parsePrefixes(reader, bits);
    const token = reader.next();
    this.#column = token.column;
    if (token.kind !== "identifier") {
      throw new SourceFault("a prefix needs an instruction after it", token.column);
    }
    const context: OperandContext = { bits, qualify, addressSize: prefixes.addressSize };
    const operands: Operand[] = [];
    if (reader.peek().kind !== "end") {
      do operands.push(parseOperand(reader, context)); while (reader.accept(","));
      reader.expectEnd();
    }
    const request = {
      word: token.text,
      name: token.text.toLowerCase(),
      bits,
      column: token.column,
      operandSize: prefixes.operandSize,
      addressSize: prefixes.addressSize,
    };
    let written = operands;
    if (STRING_MNEMONICS.has(request.name)) {
      const string = stringOperands(request.name, operands, token.column);
      request.name += string.suffix;
      request.addressSize = string.addressSize;
      prefixes.segment = string.segment ?? prefixes.segment;
      written = [];
    }
    const mnemonic = resolveMnemonic(request.name, bits, request.operandSize);
    if (mnemonic === undefined) {
      throw new SourceFault(`unknown instruction or directive "${token.text}"`, token.column);
    }
    request.name = mnemonic.name;
    request.operandSize = mnemonic.operandSize;
    const complete = completeOperands(request, written);
    this.#candidates = candidatesFor(formsOf(request.name), complete, request);
    this.#addressSize = request.addressSize ?? bits;
    this.#segment = prefixes.segment;
    this.#prefixes = prefixes;
    this.#checkPrefixes(prefixes, request.word);
    this.placed = this.#candidates[0].operands.some((operand) =>
      isPlaced(operand, this.#candidates[0].form)
    );
  }

  #checkPrefixes(prefixes: WrittenPrefixes, word: string): void {
    const { form, operands } = this.#candidates[0];
    const memory = operands.find((operand) => operand.kind === "memory");
    const check = (allowed: boolean, kind: string, prefix: string): void => {
      if (!allowed) {
        throw new SourceFault(
          `${prefix} has no meaning with this form of ${word} (write the prefix with db to have it ` +
            "nevertheless)",
          prefixes.columns[kind],
        );
      }
    };
    const written = operands[0]?.kind === "memory" ||
      (operands[1]?.kind === "memory" && /^xchg$/i.test(word));
    check(!prefixes.lock || (form.lockable && written), "lock", "lock");
    check(!prefixes.rep || form.repeatable, "rep", "rep");
    check(!prefixes.repne || form.repneable, "repne", "repne");
    const implied = form.kinds.some((kind) => /^(seg_r|es_r)/.test(kind));
    const overridable = form.kinds.some((kind) => /^seg_r/.test(kind)) ||
      (memory !== undefined && memory.address.segment === undefined);
    check(prefixes.segment === undefined || overridable, "segment", "a segment override");
    check(
      prefixes.addressSize === undefined || memory !== undefined || form.addressSize !== 0 ||
        implied,
      "a",
      `a${prefixes.addressSize}`,
    );
  }

  /** Encodes the instruction, or a repetition of it, for the values that symbols have now. */
  attempt(scope: Scope, repetition = 0): Attempt {
    const relaxation = this.#relaxations[repetition] ??= { level: 0, wideDisplacement: false };
    if (this.placed) return this.#attempt(scope, relaxation);
    return this.#constant ??= this.#attempt(scope, relaxation);
  }

  #attempt(scope: Scope, relaxation: Relaxation): Attempt {
    let first: SourceFault | undefined;
    for (let level = relaxation.level; level < this.#candidates.length; level++) {
      const candidate = this.#candidates[level];
      try {
        const { operands, known } = this.#resolve(candidate, scope, relaxation);
        const bytes = this.#encode(candidate, scope, operands);
        if (known) relaxation.level = level;
        return { bytes };
      } catch (error) {
        if (!(error instanceof SourceFault)) throw error;
        first ??= error;
      }
    }
    // Values that do not fit now may fit in a later pass: hold the place with the longest form.
    const last = this.#candidates[this.#candidates.length - 1];
    const nowhere: Scope = { ...scope, lookup: () => undefined };
    try {
      const { operands } = this.#resolve(last, nowhere, relaxation, true);
      return { bytes: this.#encode(last, nowhere, operands), fault: first };
    } catch (error) {
      if (error instanceof SourceFault) throw first;
      throw error;
    }
  }

  #resolve(
    candidate: Candidate,
    scope: Scope,
    relaxation: Relaxation,
    blank = false,
  ): { operands: EncoderOperand[]; known: boolean } {
    const { form } = candidate;
    let known = true;
    const value = (expression: Expression): Value | undefined => {
      const result = blank ? undefined : evaluate(expression, scope);
      if (result === undefined) known = false;
      return result;
    };
    const operands = form.kinds.map((kind, index): EncoderOperand => {
      const place = candidate.places.indexOf(index);
      if (place < 0) return this.#implied(kind);
      const operand = candidate.operands[place];
      switch (operand.kind) {
        case "register":
          return { kind: "register", name: operand.register.name };
        case "memory": {
          const address: Address = operand.address.segment === undefined
            ? { ...operand.address, segment: this.#segment }
            : operand.address;
          if (address.displacement !== undefined) value(address.displacement);
          return encodeAddress(
            blank ? { ...address, displacement: undefined } : address,
            scope,
            relaxation,
            kind === "mem_offs",
          );
        }
        case "far": {
          const selector = value(operand.selector)?.value ?? 0n;
          const offset = value(operand.offset)?.value ?? 0n;
          const limit = kind === "farbr2_2" ? 0xffffn : 0xffffffffn;
          inRange(selector, 0n, 0xffffn, operand.selector, "selector");
          inRange(offset, 0n, limit, operand.offset, "offset");
          return { kind: "far", selector: Number(selector), offset };
        }
        case "immediate":
          return this.#immediate(candidate, kind, operand, value(operand.expression), scope);
      }
    });
    return { operands, known };
  }

  #implied(kind: string): EncoderOperand {
    if (/^(seg_r|es_r)/.test(kind)) {
      const segment = kind === "es_rDI" ? undefined : this.#segment?.name;
      return { kind: "implied", addressSize: this.#addressSize, segment };
    }
    return { kind: "register", name: kind };
  }

  #immediate(
    candidate: Candidate,
    kind: string,
    operand: Operand & { kind: "immediate" },
    value: Value | undefined,
    scope: Scope,
  ): EncoderOperand {
    if (/^(br|xbegin)/.test(kind)) {
      const target = value?.value ?? scope.here;
      checkWrap(
        target,
        scope.here,
        kind.startsWith("br16") ? 16n : this.#bits === 64 ? 64n : 32n,
        operand,
      );
      return { kind: "immediate", value: target };
    }
    if (value === undefined) {
      return { kind: "immediate", value: kind === "imm8_const_1" ? 1n : 0n };
    }
    if (!immediateFits(kind, value, candidate.only)) {
      throw new SourceFault(
        `${value.value} is out of range for this operand`,
        operand.expression.column,
      );
    }
    return { kind: "immediate", value: value.value };
  }

  #encode(candidate: Candidate, scope: Scope, operands: EncoderOperand[]): Uint8Array {
    try {
      return encode(candidate.form, this.#bits, scope.here, operands, this.#prefixes);
    } catch (error) {
      if (error instanceof AssemblerUnavailableError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const far = /too far away/.test(message);
      const branch = candidate.operands.find((operand) => operand.kind === "immediate");
      throw new SourceFault(
        far ? "the branch target is out of reach" : `cannot be encoded: ${message}`,
        far && branch ? branch.expression.column : this.#column,
      );
    }
  }
}

function parsePrefixes(reader: TokenReader, bits: Bits): WrittenPrefixes {
  const prefixes: WrittenPrefixes = { columns: {} };
  for (;;) {
    const word = reader.word();
    if (word === undefined) return prefixes;
    const column = reader.column;
    const size = /^([ao])(16|32|64)$/.exec(word);
    const register = registers.get(word);
    const note = (kind: string): void => {
      if (prefixes.columns[kind] !== undefined) {
        throw new SourceFault(`a second prefix of the same kind`, column);
      }
      prefixes.columns[kind] = column;
    };
    if (word === "lock") {
      note("lock");
      prefixes.lock = true;
    } else if (Object.hasOwn(REPEATS, word)) {
      note("rep");
      prefixes.columns.repne = column;
      prefixes[REPEATS[word]] = true;
    } else if (size) {
      note(size[1]);
      const value = Number(size[2]) as Bits;
      const bad = size[1] === "a"
        ? (bits === 64 ? value === 16 : value === 64)
        : value === 64 && bits !== 64;
      if (bad) throw new SourceFault(`${word} does not exist in ${bits}-bit mode`, column);
      prefixes[size[1] === "a" ? "addressSize" : "operandSize"] = value;
    } else if (register?.class === "sreg") {
      note("segment");
      prefixes.segment = register;
    } else return prefixes;
    reader.next();
  }
}

/** Can an operand's encoding differ from one place or layout pass to another? */
function isPlaced(operand: Operand, form: Form): boolean {
  switch (operand.kind) {
    case "register":
      return false;
    case "immediate":
      return form.kinds.some((kind) => /^(br|xbegin)/.test(kind)) ||
        !isConstant(operand.expression);
    case "far":
      return !isConstant(operand.selector) || !isConstant(operand.offset);
    case "memory":
      return operand.address.relative ||
        (operand.address.displacement !== undefined && !isConstant(operand.address.displacement));
  }
}

/** IP and EIP wrap around; a target beyond would silently come out elsewhere. */
function checkWrap(
  target: bigint,
  here: bigint,
  width: bigint,
  operand: Operand & { kind: "immediate" },
): void {
  const distance = target - here;
  const half = 1n << width - 1n;
  if (target >> width !== here >> width && (distance >= half || distance < -half)) {
    throw new SourceFault("the branch target is out of reach", operand.expression.column);
  }
}

function inRange(
  value: bigint,
  low: bigint,
  high: bigint,
  expression: Expression,
  what: string,
): void {
  if (value < low || value > high) {
    throw new SourceFault(
      `${what} ${value} is out of range (${low} to ${high})`,
      expression.column,
    );
  }
}
