/** Runs as JSON lines: one object a line, and read back. */
import { compare } from "../trace/script.ts";
import { format } from "../trace/format.ts";
import { parse, parseRecorded } from "../trace/parse.ts";
import type { KnownFailure, Standing } from "../suite/baseline.ts";
import type { Case } from "../suite/case.ts";
import { prepareGuest } from "../suite/guest.ts";
import type { Autopsy, CaseResult, Verdict } from "../suite/verdict.ts";
import type { ReportedResult } from "./failure.ts";

/** What stands in the first line: where the cases ran. */
export interface RunHeader {
  readonly kind: "run";
  /** Release of the kernel whose KVM was judged. */
  readonly kernel: string;
  /** `vmx`, `svm`, `pvm` or `unknown`. */
  readonly backend: string;
  /** Module parameters that were given to a lab, such as `npt=0`. */
  readonly params?: readonly string[];
  /** Whether the kernel ran in a lab, not on the machine itself. */
  readonly lab?: boolean;
  /** Which part of the run this is, as `2/4`; absent where it is the whole. */
  readonly shard?: string;
  /** The lens that the cases ran under. */
  readonly lens?: string;
  /** How many cases were chosen. */
  readonly cases: number;
}

/** The line of one case. */
export interface CaseRecord {
  readonly kind: "case";
  readonly id: string;
  readonly verdict: Verdict;
  readonly standing: Standing;
  /** What the baseline says of it, if it lists it. */
  readonly known?: KnownFailure;
  readonly reason?: string;
  readonly spec: readonly string[];
  readonly milliseconds: number;
  /** Both traces in their canonical text. */
  readonly expected: string;
  readonly actual: string;
  /** Where the guest stood; of a failure only. */
  readonly autopsy?: Omit<Autopsy, "assembled">;
  /** What the kernel of a lab logged while it ran the case; of a crash only. */
  readonly log?: string;
}

/** A line of a run's file. */
export type RunRecord = RunHeader | CaseRecord;

/** The record of a result, with what the baseline says of it. */
export function caseRecord(
  result: ReportedResult,
  standing: Standing,
  known?: KnownFailure,
): CaseRecord {
  const { case: { id, spec }, verdict, reason, expected, trace, autopsy, milliseconds } = result;
  return {
    kind: "case",
    id,
    verdict,
    standing,
    known,
    reason,
    spec,
    milliseconds: Math.round(milliseconds * 1000) / 1000,
    expected: format(expected),
    actual: format(trace),
    autopsy: verdict === "pass" || autopsy === undefined ? undefined : standpoint(autopsy),
    log: result.log,
  };
}

function standpoint({ bits, regs, sregs }: Autopsy): Omit<Autopsy, "assembled"> {
  return { bits, regs, sregs };
}

/**
 * The result that a record tells of, as good as the one it was made of: the traces are compared
 * anew, the guest is assembled anew. Without the case's definition the guest is lost.
 *
 * @throws {TraceError} when a trace of the record is malformed.
 */
export function resultOf(record: CaseRecord, definition: Case): CaseResult;
export function resultOf(record: CaseRecord, definition?: Case): ReportedResult;
export function resultOf(record: CaseRecord, definition?: Case): ReportedResult {
  const { verdict, reason, milliseconds, log } = record;
  const expected = parse(record.expected);
  const trace = parseRecorded(record.actual);
  const comparison = verdict === "skip" || expected.length === 0
    ? undefined
    : compare(expected, trace);
  return {
    case: definition ?? { id: record.id, spec: record.spec },
    verdict,
    reason,
    expected,
    trace,
    divergence: comparison === undefined || comparison.ok ? undefined : comparison.divergence,
    autopsy: record.autopsy && definition &&
      { ...record.autopsy, assembled: prepareGuest(definition).assembled },
    milliseconds,
    log,
  };
}

/** The text of a record, without a newline; a bigint is spelled `"0x1fn"`. */
export function formatRecord(record: RunRecord): string {
  return JSON.stringify(
    record,
    (_, value) => typeof value === "bigint" ? `0x${value.toString(16)}n` : value,
  );
}

/**
 * Reads a line of a run's file.
 *
 * @throws {SyntaxError} when it is no JSON or no record of a run.
 */
export function parseRecord(line: string): RunRecord {
  const record = JSON.parse(
    line,
    (_, value) =>
      typeof value === "string" && /^0x[0-9a-f]+n$/.test(value)
        ? BigInt(value.slice(0, -1))
        : value,
  );
  if (record?.kind !== "run" && record?.kind !== "case") {
    throw new SyntaxError("it is neither a run's header nor a case");
  }
  const fields = record.kind === "run" ? headerFields : caseFields;
  for (const [field, type] of Object.entries(fields)) {
    const found = typeof record[field];
    if (found !== type) throw new SyntaxError(`its ${field} is not a ${type}`);
  }
  if (record.kind === "run") return checkHeader(record);
  if (!verdicts.has(record.verdict)) {
    throw new SyntaxError(`its verdict is ${JSON.stringify(record.verdict)}`);
  }
  if (!Array.isArray(record.spec)) throw new SyntaxError("its spec is not a list");
  return record;
}

function checkHeader(header: RunHeader): RunHeader {
  const { shard, params } = header;
  if (shard !== undefined && !/^[1-9]\d{0,4}\/[1-9]\d{0,4}$/.test(shard)) {
    throw new SyntaxError(`its shard is ${JSON.stringify(shard)}, not as "1/4"`);
  }
  if (params !== undefined && !Array.isArray(params)) {
    throw new SyntaxError("its params is not a list");
  }
  return header;
}

const headerFields = { kernel: "string", backend: "string", cases: "number" };
const caseFields = {
  id: "string",
  verdict: "string",
  standing: "string",
  milliseconds: "number",
  expected: "string",
  actual: "string",
};
const verdicts: ReadonlySet<string> = new Set<Verdict>(
  ["pass", "fail", "skip", "timeout", "crash", "error"],
);
