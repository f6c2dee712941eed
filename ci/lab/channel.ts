/**
 * What a lab tells the host: a JSON object a line, over a serial port.
 *
 * A serial line is slow, so that a line leaves out what the host knows: the promised trace, and the
 * recorded one where it is spelled the same.
 */
import { type CaseRecord, caseRecord, resultOf } from "../../src/report/json_lines.ts";
import { prepareGuest } from "../../src/suite/guest.ts";
import type { Case } from "../../src/suite/case.ts";
import type { CaseResult } from "../../src/suite/verdict.ts";
import { format } from "../../src/trace/format.ts";

/** How far a boot is. */
export type Stage = "init" | "modules";

/** A case was judged. */
export interface EndMessage
  extends Pick<CaseRecord, "id" | "verdict" | "reason" | "milliseconds" | "autopsy"> {
  readonly kind: "end";
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
  | { readonly kind: "ready"; readonly kernel: string; readonly backend: string }
  | { readonly kind: "begin"; readonly id: string }
  | EndMessage
  | { readonly kind: "heartbeat" }
  | { readonly kind: "done" };

/** The message of a result. */
export function endMessage(result: CaseResult): EndMessage {
  const { id, verdict, reason, milliseconds, expected, actual, autopsy } = caseRecord(
    result,
    "expected",
  );
  return {
    kind: "end",
    id,
    verdict,
    reason,
    milliseconds: Math.round(milliseconds * 10) / 10,
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
  const { kind: _, ...rest } = message;
  const expected = message.expected ??
    (message.verdict === "skip" ? "" : format(prepareGuest(definition).expected));
  return resultOf({
    ...rest,
    kind: "case",
    standing: "expected",
    spec: definition.spec,
    expected,
    actual: message.actual ?? expected,
  }, definition);
}

/** The text of a message, with its newline; a bigint is spelled `"0x1fn"`. */
export function formatMessage(message: Message): string {
  const text = JSON.stringify(
    message,
    (_, value) => typeof value === "bigint" ? `0x${value.toString(16)}n` : value,
  );
  return `${text}\n`;
}

const fields: Readonly<Record<string, readonly string[]>> = {
  stage: ["stage"],
  failed: ["reason"],
  ready: ["kernel", "backend"],
  begin: ["id"],
  end: ["id", "verdict"],
  heartbeat: [],
  done: [],
};

/** Reads a line of the channel; `undefined` where it is damaged: a dying kernel may cut it off. */
export function parseMessage(line: string): Message | undefined {
  let message;
  try {
    message = JSON.parse(
      line,
      (_, value) =>
        typeof value === "string" && /^0x[0-9a-f]+n$/.test(value)
          ? BigInt(value.slice(0, -1))
          : value,
    );
  } catch {
    return undefined;
  }
  const needed = fields[message?.kind];
  return needed?.every((field) => typeof message[field] === "string") ? message : undefined;
}
