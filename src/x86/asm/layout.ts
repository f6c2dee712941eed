import { AssemblyError, SourceFault } from "./error.ts";
import { evaluate, type Expression, type Scope, type Value } from "./expression.ts";
import { type Body, locate, type Statement } from "./statement.ts";

/** A statement with its bytes and their place. */
export interface Placed {
  statement: Statement;
  address: bigint;
  bytes: Uint8Array;
}

interface SymbolState {
  value?: Value;
  /** 1-based; 0 for a symbol that the caller gave. */
  line: number;
}

/** No guest needs more, and a slip in a count must not take the process down. */
const MAXIMUM_SIZE = 64 * 1024 * 1024;
const MAXIMUM_PASSES = 100;
const EMPTY = new Uint8Array(0);

/** Gives statements their addresses, again and again until no size and no symbol changes. */
export class Layout {
  readonly #statements: readonly Statement[];
  readonly #lines: readonly string[];
  readonly #origin: bigint;
  readonly #symbols = new Map<string, SymbolState>();
  #fault: { error: SourceFault; line: number } | undefined;
  #line = 0;

  constructor(
    statements: readonly Statement[],
    lines: readonly string[],
    origin: bigint,
    predefined: ReadonlyMap<string, bigint>,
  ) {
    this.#statements = statements;
    this.#lines = lines;
    this.#origin = origin;
    for (const [name, value] of predefined) {
      this.#symbols.set(name, { value: { value, relocation: 0 }, line: 0 });
    }
    for (const { body, line, column } of statements) {
      if (body.kind === "label" || body.kind === "equ") this.#declare(body.name, line, column);
    }
  }

  #declare(name: string, line: number, column: number): void {
    const earlier = this.#symbols.get(name);
    if (earlier !== undefined) {
      const where = earlier.line === 0 ? "as a symbol option" : `in line ${earlier.line}`;
      throw new AssemblyError(
        `${name} is already defined ${where}`,
        line,
        column,
        this.#lines[line - 1],
      );
    }
    this.#symbols.set(name, { line });
  }

  /** Runs the passes and gives every statement's bytes and the symbols defined in the source. */
  run(): { placed: Placed[]; symbols: Map<string, bigint> } {
    let previous: Placed[] | undefined;
    let restless: Placed | undefined;
    for (let pass = 0; pass < MAXIMUM_PASSES; pass++) {
      const { placed, changed } = this.#pass();
      restless = placed.find((item, index) => item.bytes.length !== previous?.[index].bytes.length);
      if (previous !== undefined && !changed && restless === undefined) {
        this.#throwFault();
        return { placed, symbols: this.#defined() };
      }
      previous = placed;
    }
    this.#throwFault();
    const { line, column } = restless?.statement ?? this.#statements[0];
    throw new AssemblyError(
      "sizes and symbols depend on each other without end",
      line,
      column,
      this.#lines[line - 1],
    );
  }

  #throwFault(): void {
    if (this.#fault === undefined) return;
    throw locate(this.#fault.error, this.#fault.line, this.#lines[this.#fault.line - 1]);
  }

  #defined(): Map<string, bigint> {
    const defined = new Map<string, bigint>();
    for (const [name, { value, line }] of this.#symbols) {
      if (line > 0) defined.set(name, value!.value);
    }
    return defined;
  }

  #pass(): { placed: Placed[]; changed: boolean } {
    let address = this.#origin;
    let changed = false;
    this.#fault = undefined;
    const placed: Placed[] = [];
    for (const statement of this.#statements) {
      const { body, line } = statement;
      this.#line = line;
      const scope = this.#scope(address);
      try {
        if (body.kind === "label") {
          changed = this.#define(body.name, { value: address, relocation: 1 }) || changed;
        } else if (body.kind === "equ") {
          const value = evaluate(body.expression, scope);
          if (value === undefined) {
            this.#note(
              new SourceFault(`${body.name} depends on itself`, body.expression.column),
            );
          } else changed = this.#define(body.name, value) || changed;
        }
        const bytes = this.#emit(body, scope);
        placed.push({ statement, address, bytes });
        address += BigInt(bytes.length);
        if (address - this.#origin > MAXIMUM_SIZE) {
          throw new SourceFault("the program is larger than 64 MiB", statement.column);
        }
      } catch (error) {
        throw locate(error, line, this.#lines[line - 1]);
      }
    }
    return { placed, changed };
  }

  /** Remembers the first thing that is wrong in this pass; it counts only when nothing moves. */
  #note(error: SourceFault): void {
    this.#fault ??= { error, line: this.#line };
  }

  #define(name: string, value: Value): boolean {
    const symbol = this.#symbols.get(name)!;
    const changed = symbol.value?.value !== value.value ||
      !Object.is(symbol.value.relocation, value.relocation);
    symbol.value = value;
    return changed;
  }

  #scope(here: bigint): Scope {
    return {
      here,
      start: this.#origin,
      lookup: (name, column) => {
        const symbol = this.#symbols.get(name);
        if (symbol === undefined) throw new SourceFault(`undefined symbol "${name}"`, column);
        return symbol.value;
      },
    };
  }

  #emit(body: Body, scope: Scope, repetition = 0): Uint8Array {
    switch (body.kind) {
      case "label":
      case "equ":
        return EMPTY;
      case "instruction": {
        const { bytes, fault } = body.instruction.attempt(scope, repetition);
        if (fault !== undefined) this.#note(fault);
        return bytes;
      }
      case "data":
        return this.#data(body, scope);
      case "reserve":
        return new Uint8Array(this.#count(body.count, scope, "count", body.unit) * body.unit);
      case "align": {
        const boundary = this.#count(body.boundary, scope, "alignment", 1);
        if (boundary === 0 || (boundary & (boundary - 1)) !== 0) {
          this.#note(
            new SourceFault(`alignment ${boundary} is no power of two`, body.boundary.column),
          );
          return EMPTY;
        }
        const fill = body.fill && this.#number(body.fill, scope, 1);
        const length = Number(BigInt.asUintN(64, -scope.here) % BigInt(boundary));
        if (length > MAXIMUM_SIZE) {
          throw new SourceFault("the padding is larger than 64 MiB", body.boundary.column);
        }
        return new Uint8Array(length).fill(fill === undefined ? 0x90 : Number(fill & 0xffn));
      }
      case "times":
        return this.#repeat(body, scope);
    }
  }

  #repeat(body: Body & { kind: "times" }, scope: Scope): Uint8Array {
    const count = this.#count(body.count, scope, "count", 1);
    const inner = body.body;
    const placed = inner.kind === "instruction"
      ? inner.instruction.placed
      : inner.kind !== "reserve";
    if (!placed || (inner.kind === "data" && !inner.items.some(usesHere))) {
      if (count === 0) return EMPTY;
      const once = this.#emit(inner, scope);
      this.#checkSize(once.length * count, body.count);
      const all = new Uint8Array(once.length * count);
      for (let index = 0; index < count; index++) all.set(once, index * once.length);
      return all;
    }
    this.#checkSize(count, body.count);
    const parts: number[] = [];
    for (let index = 0; index < count; index++) {
      const bytes = this.#emit(inner, { ...scope, here: scope.here + BigInt(parts.length) }, index);
      for (const byte of bytes) parts.push(byte);
    }
    return Uint8Array.from(parts);
  }

  #checkSize(size: number, expression: Expression): void {
    if (size > MAXIMUM_SIZE) {
      throw new SourceFault("the data is larger than 64 MiB", expression.column);
    }
  }

  #count(expression: Expression, scope: Scope, what: string, unit: number): number {
    const value = evaluate(expression, scope)?.value ?? 0n;
    if (value < 0n) {
      this.#note(new SourceFault(`${what} is ${value}, less than zero`, expression.column));
      return 0;
    }
    if (value * BigInt(unit) > MAXIMUM_SIZE) {
      this.#note(new SourceFault(`${what} ${value} is too large`, expression.column));
      return 0;
    }
    return Number(value);
  }

  #data(body: Body & { kind: "data" }, scope: Scope): Uint8Array {
    let length = 0;
    for (const item of body.items) length += item.kind === "bytes" ? item.bytes.length : body.unit;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    let offset = 0;
    for (const item of body.items) {
      if (item.kind === "bytes") {
        bytes.set(item.bytes, offset);
        offset += item.bytes.length;
        continue;
      }
      const value = this.#number(item.expression, scope, body.unit);
      if (body.unit === 1) view.setUint8(offset, Number(BigInt.asUintN(8, value)));
      else if (body.unit === 2) view.setUint16(offset, Number(BigInt.asUintN(16, value)), true);
      else if (body.unit === 4) view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
      else view.setBigUint64(offset, BigInt.asUintN(64, value), true);
      offset += body.unit;
    }
    return bytes;
  }

  #number(expression: Expression, scope: Scope, unit: number): bigint {
    const value = evaluate(expression, scope)?.value ?? 0n;
    const range = 1n << BigInt(unit * 8);
    if (value < -(range >> 1n) || value >= range) {
      this.#note(
        new SourceFault(`${value} does not fit ${unit * 8} bits`, expression.column),
      );
    }
    return value;
  }
}

function usesHere(item: { kind: string; expression?: Expression }): boolean {
  const uses = (expression: Expression): boolean =>
    expression.kind === "here" ||
    (expression.kind === "unary" && uses(expression.operand)) ||
    (expression.kind === "binary" && (uses(expression.left) || uses(expression.right)));
  return item.expression !== undefined && uses(item.expression);
}
