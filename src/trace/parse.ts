import {
  type Action,
  type Either,
  type ExpectedLine,
  type ExpectedTrace,
  type GuestEvent,
  type Hole,
  isState,
  type KeyedOperand,
  type Operand,
  type StateEvent,
  stateKey,
  type StreamEvent,
  type Trace,
} from "./event.ts";
import { ERRNO, type Field, fieldsOf, GUEST_EVENTS, MEMORY, NAME } from "./grammar.ts";
import { LineReader, type Token } from "./tokens.ts";

const NUMBER_FORM = "a number (0x, lower case, no padding)";
const WORD_FORM = "a lower-case word";

/** The first words of lines that tell of exits. */
const KEYWORDS = new Set([...GUEST_EVENTS.keys()].map((head) => head.split(" ")[0]));

/**
 * Reads an expected trace: what a case promises, with patterns (`*`, `0x1|0x2`, `hlt | shutdown`).
 *
 * Empty lines, blanks around and between operands, and comments (from `#` to the end of the line)
 * are dropped; everything else is as strict as `format` writes it.
 *
 * @throws {TraceError} when the text is not a trace, with line, column and what was expected.
 *
 * @example
 * ```ts
 * const expected = parse(`
 *   pio out 0x3f8 u8 [0x48 0x69]   # "Hi", in one exit or in two
 *   hlt | shutdown
 *   = rax 0x1234
 * `);
 * ```
 */
export function parse(text: string): ExpectedTrace {
  return parseLines(text, true);
}

/**
 * Reads a recorded trace, in which patterns are errors.
 *
 * @throws {TraceError} when the text is not a trace, or holds a pattern.
 *
 * @example
 * ```ts
 * const recorded = parseRecorded("pio out 0x3f8 u8 0x41\nhlt");
 * ```
 */
export function parseRecorded(text: string): Trace {
  return parseLines(text, false) as Trace;
}

function parseLines(text: string, patterns: boolean): ExpectedLine[] {
  const lines: ExpectedLine[] = [];
  const stated = new Set<string>();
  for (const [index, content] of text.split("\n").entries()) {
    const reader = new LineReader(index + 1, content, patterns);
    const first = reader.peek();
    if (first.text === "") continue;
    const line = parseLine(reader);
    if (!isState(line)) {
      if (stated.size > 0) reader.fail("a line of the final state, which comes last", first);
    } else {
      const key = stateKey(line);
      if (stated.has(key)) reader.fail(`each name once, and ${key} is stated above`, first);
      stated.add(key);
    }
    lines.push(line);
  }
  return lines;
}

function parseLine(reader: LineReader): ExpectedLine {
  const prefix = /^(0|[1-9][0-9]{0,8}):$/.exec(reader.peek().text);
  if (prefix) reader.take();
  const line = parseAlternatives(reader);
  const rest = reader.peek();
  if (rest.text !== "") reader.fail("the end of the line", rest);
  return prefix ? { ...line, vcpu: Number(prefix[1]) } : line;
}

function parseAlternatives(reader: LineReader): ExpectedLine {
  if (reader.skip("=")) return parseState(reader);
  const first = parseStreamEvent(reader);
  if (reader.peek().text !== "|") return first;
  const alternatives = [first];
  while (reader.peek().text === "|") {
    const bar = reader.take();
    if (!reader.patterns) reader.fail("one event: a recorded trace holds no pattern", bar);
    alternatives.push(parseStreamEvent(reader));
  }
  return { kind: "either", alternatives } satisfies Either;
}

function parseStreamEvent(reader: LineReader): StreamEvent<Hole> {
  return reader.skip(">") ? parseAction(reader) : parseGuestEvent(reader);
}

function parseGuestEvent(reader: LineReader): GuestEvent<Hole> {
  const keyword = reader.take();
  const event: Record<string, unknown> & { kind: string } = { kind: keyword.text };
  if (!KEYWORDS.has(keyword.text)) {
    reader.fail("an event (pio, mmio, hlt, ...), `>`, `=` or a vCPU `N:`", keyword);
  }
  if (!GUEST_EVENTS.has(keyword.text)) {
    const directions = [...GUEST_EVENTS.keys()].map((head) => head.split(" "))
      .filter(([kind]) => kind === keyword.text).map(([, direction]) => direction);
    const direction = reader.take();
    if (!directions.includes(direction.text)) reader.fail(orList(directions), direction);
    event.direction = direction.text;
  }
  parseFields(reader, fieldsOf(event), event);
  // The table and the types say the same; the round-trip tests hold them together.
  return event as unknown as GuestEvent<Hole>;
}

function parseFields(
  reader: LineReader,
  fields: readonly Field[],
  event: Record<string, unknown>,
): void {
  for (const field of fields) {
    if (field.optional && !isPresent(reader, field)) continue;
    if (field.place === "answer") {
      const arrow = reader.take();
      if (arrow.text !== "->") reader.fail("`->` and what the host answers", arrow);
    }
    const bits = field.form === "data" ? Number(event.size) * 8 : field.bits;
    event[field.name] = parseField(reader, field, bits);
  }
}

function isPresent(reader: LineReader, field: Field): boolean {
  const { text } = reader.peek();
  if (field.place === "answer") return text === "->";
  return field.place === "key" ? text.startsWith(`${field.name}=`) : text === "[";
}

function parseField(reader: LineReader, field: Field, bits: number): unknown {
  const atom = (token: Token): bigint | string => {
    if (field.words.includes(token.text)) return token.text;
    const expected = [...field.words, ...(bits > 0 ? [NUMBER_FORM] : [])];
    if (bits === 0) reader.fail(orList(expected), token);
    return reader.number(token, bits, orList(expected));
  };
  const operand = (token: Token) => reader.operand(token, atom, field.concrete);
  const first = reader.take();
  if (field.form === "size") {
    const size = field.sizes.find((bytes) => `u${bytes * 8}` === first.text);
    if (size === undefined) reader.fail(orList(field.sizes.map((n) => `u${n * 8}`)), first);
    return size;
  }
  if (field.place === "key") {
    const start = `${field.name}=`;
    if (!first.text.startsWith(start)) reader.fail(`\`${start}\``, first);
    return operand(after(first, start.length));
  }
  if (first.text === "[" && field.form !== "value") {
    const list = reader.list(operand, NUMBER_FORM);
    if (list.length === 0) reader.fail("at least one number in the list", first);
    return list;
  }
  return operand(first);
}

function parseAction(reader: LineReader): Action<Hole> {
  const name = parseWord(reader, reader.take());
  const operands: (Operand<Hole> | KeyedOperand<Hole>)[] = [];
  while (!["", "->", "|"].includes(reader.peek().text)) operands.push(parseKeyed(reader));
  if (!reader.skip("->")) return { kind: "action", name, operands };
  return { kind: "action", name, operands, answer: parseOperand(reader, reader.take(), true) };
}

function parseKeyed(reader: LineReader): Operand<Hole> | KeyedOperand<Hole> {
  const token = reader.take();
  const equals = token.text.indexOf("=");
  if (equals < 0) return parseOperand(reader, token, false);
  const key = parseWord(
    reader,
    equals === 0 ? token : { ...token, text: token.text.slice(0, equals) },
  );
  const rest = after(token, equals + 1);
  // `key=` is complete only with a list that touches it.
  const list = rest.text === "" && reader.peek().text === "[" &&
    reader.peek().column === rest.column;
  return { key, value: parseOperand(reader, list ? reader.take() : rest, false) };
}

function parseOperand(reader: LineReader, token: Token, errno: boolean): Operand<Hole> {
  const expected = `${NUMBER_FORM}, a word${errno ? ", an errno" : ""}`;
  const atom = (token: Token): bigint | string => {
    if (NAME.test(token.text) || (errno && ERRNO.test(token.text))) return token.text;
    return reader.number(token, 64, `${expected} or a list`);
  };
  const element = (token: Token) => reader.operand(token, atom);
  return token.text === "[" ? reader.list(element, expected) : element(token);
}

function parseState(reader: LineReader): StateEvent<Hole> {
  if (reader.skip("mem")) {
    const event: Record<string, unknown> = { kind: "memory" };
    parseFields(reader, MEMORY, event);
    return event as unknown as StateEvent<Hole>;
  }
  const token = reader.take();
  if (!NAME.test(token.text)) reader.fail("a register's name (rax, cs.base, msr.0x10)", token);
  const operand = (token: Token) =>
    reader.operand(token, (piece) => reader.number(piece, 64, NUMBER_FORM));
  const first = reader.take();
  const value = first.text === "[" ? reader.list(operand, NUMBER_FORM) : operand(first);
  return { kind: "state", name: token.text, value };
}

function parseWord(reader: LineReader, token: Token): string {
  if (!NAME.test(token.text)) reader.fail(WORD_FORM, token);
  return token.text;
}

function after(token: Token, length: number): Token {
  return { text: token.text.slice(length), column: token.column + length };
}

function orList(names: readonly string[]): string {
  if (names.length < 2) return names.join();
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
