/** The run as JSON lines: one object a line, written as soon as it is known. */
import { format } from "../trace/format.ts";
import type { Standing } from "../suite/baseline.ts";
import type { CaseResult } from "../suite/verdict.ts";

/** What stands in the first line: where the cases ran. */
export interface RunHeader {
  readonly kind: "run";
  /** Release of the host's kernel. */
  readonly kernel: string;
  /** `vmx`, `svm`, `pvm` or `unknown`. */
  readonly backend: string;
  /** How many cases were chosen. */
  readonly cases: number;
}

/** The line of one case. */
export interface CaseRecord {
  readonly kind: "case";
  readonly id: string;
  readonly verdict: string;
  readonly standing: Standing;
  readonly reason?: string;
  readonly spec: readonly string[];
  readonly milliseconds: number;
  /** Both traces in their canonical text. */
  readonly expected: string;
  readonly actual: string;
}

/** The record of a result. */
export function caseRecord(result: CaseResult, standing: Standing): CaseRecord {
  const { case: { id, spec }, verdict, reason, expected, trace, milliseconds } = result;
  return {
    kind: "case",
    id,
    verdict,
    standing,
    reason,
    spec,
    milliseconds: Math.round(milliseconds * 1000) / 1000,
    expected: format(expected),
    actual: format(trace),
  };
}
