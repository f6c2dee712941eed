/**
 * What a lab tells the host, a line each, over a serial port: `begin 12`, `end 12 pass 25.9`, with
 * what else there is to say of a case as JSON behind.
 *
 * A serial line is slow, so that a line leaves out what the host knows: the promised trace, and the
 * recorded one where it is spelled the same.
 */
import { type CaseRecord, caseRecord, resultOf } from "../../src/report/json_lines.ts";
import { prepareGuest } from "../../src/suite/guest.ts";
import type { Case } from "../../src/suite/case.ts";
import type { CaseResult, Verdict } from "../../src/suite/verdict.ts";
import { format } from "../../src/trace/format.ts";

/** How far a boot is. */
export type Stage = "init" | "modules";

/** A case was judged. */
export interface EndMessage extends Pick<CaseRecord, "reason" | "autopsy"> {
  readonly kind: "end";
  /** The case's number. */
  readonly number: number;
  readonly verdict: Verdict;
  readonly milliseconds: number;
  /** Absent where it is what the host works out from the case, or where the case was skipped. */
  readonly expected?: string;
  /** Absent where it is spelled like the expected one. */
  readonly actual?: string;
}

/** A line of the channel. */
export type Message =
  | { readonly kind: "stage"; readonly stage: Stage }
  /** The lab cannot run anything. */
  | { readonly kind: "failed"; readonly reason: string }
  /** The first case comes next. */
  | { readonly kind: "ready" }
  | { readonly kind: "begin"; readonly number: number }
  | EndMessage
  | { readonly kind: "heartbeat" }
  | { readonly kind: "done" };

/** The message of a case's result. */
export function endMessage(number: number, result: CaseResult): EndMessage {
  const { verdict, reason, milliseconds, expected, actual, autopsy } = caseRecord(
    result,
    "expected",
  );
  return {
    kind: "end",
    number,
    verdict,
    milliseconds,
    reason,
    expected: expected === "" && verdict !== "skip" ? "" : undefined,
    actual: actual === expected ? undefined : actual,
    autopsy,
  };
}

/**
 * The result that a message tells of.
 *
 * @throws {TraceError} when a trace of it is malformed.
 */
export function resultOfMessage(message: EndMessage, definition: Case): CaseResult {
  const { verdict, reason, milliseconds, autopsy } = message;
  const expected = message.expected ??
    (verdict === "skip" ? "" : format(prepareGuest(definition).expected));
  return resultOf({
    kind: "case",
    id: definition.id,
    verdict,
    standing: "expected",
    reason,
    spec: definition.spec,
    milliseconds,
    expected,
    actual: message.actual ?? expected,
    autopsy,
  }, definition);
}

/** The text of a message, with its newline. */
export function formatMessage(message: Message): string {
  return `${[message.kind, ...wordsOf(message)].join(" ")}\n`;
}

function wordsOf(message: Message): (string | number)[] {
  switch (message.kind) {
    case "stage":
      return [message.stage];
    case "failed":
      return [message.reason.replaceAll("\n", " ")];
    case "begin":
      return [message.number];
    case "end": {
      const { kind: _, number, verdict, milliseconds, ...rest } = message;
      const json = JSON.stringify(
        rest,
        (_, value) => typeof value === "bigint" ? `0x${value.toString(16)}n` : value,
      );
      return [number, verdict, milliseconds.toFixed(1), ...json === "{}" ? [] : [json]];
    }
    default:
      return [];
  }
}

const verdicts: ReadonlySet<string> = new Set(
  ["pass", "fail", "skip", "timeout", "crash", "error"] satisfies Verdict[],
);

/** Reads a line of the channel; `undefined` where it is damaged: a dying kernel may cut it off. */
export function parseMessage(line: string): Message | undefined {
  const [, kind, rest] = /^([a-z]+)(?: (.*))?$/.exec(line) ?? [];
  switch (kind) {
    case "stage":
      return rest === "init" || rest === "modules" ? { kind, stage: rest } : undefined;
    case "failed":
      return rest === undefined ? undefined : { kind, reason: rest };
    case "begin":
      return /^\d+$/.test(rest ?? "") ? { kind, number: Number(rest) } : undefined;
    case "end":
      return parseEnd(rest ?? "");
    case "ready":
    case "heartbeat":
    case "done":
      return rest === undefined ? { kind } : undefined;
  }
}

function parseEnd(words: string): EndMessage | undefined {
  const [, number, verdict, milliseconds, json = "{}"] =
    /^(\d+) ([a-z]+) (\d+\.\d)(?: (\{.*\}))?$/.exec(words) ?? [];
  if (number === undefined || !verdicts.has(verdict)) return;
  try {
    const rest = JSON.parse(
      json,
      (_, value) =>
        typeof value === "string" && /^0x[0-9a-f]+n$/.test(value)
          ? BigInt(value.slice(0, -1))
          : value,
    );
    return {
      ...rest,
      kind: "end",
      number: Number(number),
      verdict: verdict as Verdict,
      milliseconds: Number(milliseconds),
    };
  } catch {
    return undefined;
  }
}
