/** Records of runs, made up. */
import { type CaseRecord, formatRecord, type RunHeader } from "../src/report/json_lines.ts";
import type { Verdict } from "../src/suite/verdict.ts";

/** The header of a run. */
export function header(changes: Partial<RunHeader> = {}): RunHeader {
  return { kind: "run", kernel: "6.12.95-amd64", backend: "svm", lab: true, cases: 1, ...changes };
}

/** The record of a case. */
export function record(
  id: string,
  verdict: Verdict = "pass",
  changes: Partial<CaseRecord> = {},
): CaseRecord {
  return {
    kind: "case",
    id,
    verdict,
    standing: verdict === "pass" || verdict === "skip" ? "expected" : "regression",
    spec: ["SDM 2A: HLT"],
    milliseconds: 2,
    expected: "hlt",
    actual: verdict === "fail" ? "shutdown" : "hlt",
    reason: verdict === "pass" ? undefined : `a ${verdict}`,
    ...changes,
  };
}

/** The text of a run's file. */
export function runText(cases: readonly CaseRecord[], changes: Partial<RunHeader> = {}): string {
  return [header({ cases: cases.length, ...changes }), ...cases]
    .map((line) => `${formatRecord(line)}\n`).join("");
}
