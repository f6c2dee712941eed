import {
  type Action,
  type Either,
  type ExpectedLine,
  type ExpectedTrace,
  type Hole,
  isHole,
  isKeyed,
  type Operand,
  type TraceEvent,
} from "./event.ts";
import { ERRNO, type Field, fieldsOf, maximum, MEMORY, NAME } from "./grammar.ts";

/**
 * Writes a trace, recorded or expected, in its canonical text: one line an event, without a newline
 * at the end. `format(parse(text)) === text` for canonical text.
 *
 * @throws {RangeError} when an event holds what the language cannot write: a number that is negative
 * or wider than its operand, a word that is no lower-case word, an empty list of values.
 *
 * @example
 * ```ts
 * import { format } from "@trapline/trapline";
 *
 * format([{ kind: "pio", direction: "out", port: 0x3f8n, size: 1, value: 0x41n }, { kind: "hlt" }]);
 * // "pio out 0x3f8 u8 0x41\nhlt"
 * ```
 */
export function format(trace: ExpectedTrace): string {
  return trace.map(formatLine).join("\n");
}

/**
 * Writes one line of a trace.
 *
 * @throws {RangeError} when the event holds what the language cannot write.
 */
export function formatLine(line: ExpectedLine): string {
  const text = line.kind === "either" ? formatEither(line) : formatEvent(line);
  if (line.vcpu === undefined) return text;
  if (!/^[0-9]{1,9}$/.test(String(line.vcpu))) refuse("vCPU", line.vcpu, "a small integer");
  return `${line.vcpu}: ${text}`;
}

function formatEither(line: Either): string {
  const count = line.alternatives.length;
  if (count < 2) refuse("a line of alternatives of", count, "at least two");
  return line.alternatives.map(formatEvent).join(" | ");
}

function formatEvent(event: TraceEvent<Hole>): string {
  switch (event.kind) {
    case "action":
      return formatAction(event);
    case "state": {
      if (event.name === "mem") refuse("state", event.name, "a register's name");
      const value = formatOperand(event.value, (atom) => formatNumber(event.name, atom, 64));
      return `= ${formatWord("state", event.name)} ${value}`;
    }
    case "memory":
      return ["= mem", ...formatFields(MEMORY, event)].join(" ");
    default: {
      const head = "direction" in event ? [event.kind, event.direction] : [event.kind];
      return [...head, ...formatFields(fieldsOf(event), event)].join(" ");
    }
  }
}

function formatFields(fields: readonly Field[], event: TraceEvent<Hole>): string[] {
  const properties = event as unknown as Record<string, Operand<Hole> | undefined>;
  return fields.flatMap((field) => {
    const operand = properties[field.name];
    if (operand === undefined && field.optional) return [];
    const arrow = field.place === "answer" ? ["->"] : [];
    const key = field.place === "key" ? `${field.name}=` : "";
    return [...arrow, key + formatField(field, operand, Number(properties.size) * 8)];
  });
}

function formatField(field: Field, operand: Operand<Hole> | undefined, dataBits: number): string {
  if (operand === undefined) refuse(field.name, operand, "a value");
  if (field.form === "size") {
    if (!field.sizes.includes(Number(operand))) refuse(field.name, operand, "a size in bytes");
    return `u${Number(operand) * 8}`;
  }
  const listed = Array.isArray(operand);
  if (listed ? field.form === "value" || operand.length === 0 : field.form === "list") {
    refuse(field.name, operand, field.form === "value" ? "one value" : "a list of values");
  }
  const bits = field.form === "data" ? dataBits : field.bits;
  return formatOperand(operand, (atom) => {
    if (typeof atom === "string" && field.words.includes(atom)) return atom;
    return formatNumber(field.name, atom, bits);
  });
}

function formatAction(action: Action<Hole>): string {
  const atom = (errno: boolean) => (value: bigint | string): string => {
    if (typeof value === "bigint") return formatNumber(action.name, value, 64);
    return errno && ERRNO.test(value) ? value : formatWord(action.name, value);
  };
  const operands = action.operands.map((operand) =>
    isKeyed(operand)
      ? `${formatWord(action.name, operand.key)}=${formatOperand(operand.value, atom(false))}`
      : formatOperand(operand, atom(false))
  );
  const answer = action.answer === undefined
    ? []
    : ["->", formatOperand(action.answer, atom(true))];
  return [">", formatWord("action", action.name), ...operands, ...answer].join(" ");
}

function formatOperand(
  operand: Operand<Hole>,
  atom: (value: bigint | string) => string,
): string {
  const one = (value: bigint | string | Hole): string => {
    if (!isHole(value)) return atom(value);
    if ("any" in value) return "*";
    if (value.oneOf.length < 2) refuse("a choice of", value.oneOf.length, "at least two");
    return value.oneOf.map(atom).join("|");
  };
  return isList(operand) ? `[${operand.map(one).join(" ")}]` : one(operand);
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function formatNumber(name: string, value: bigint | string, bits: number): string {
  if (typeof value !== "bigint" || value < 0n || value > maximum(bits)) {
    refuse(name, value, bits === 0 ? "one of its words" : `a bigint of ${bits} bits, unsigned`);
  }
  return `0x${value.toString(16)}`;
}

function formatWord(name: string, value: string): string {
  if (!NAME.test(value)) refuse(name, value, "a lower-case word");
  return value;
}

function refuse(name: string, value: unknown, expected: string): never {
  throw new RangeError(`a trace cannot hold ${name} ${String(value)}: expected ${expected}`);
}
