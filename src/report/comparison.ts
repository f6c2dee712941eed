/** What differs between two runs of the suite, case by case. */
import { diff, type DiffLine } from "../trace/diff.ts";
import { parse, parseRecorded } from "../trace/parse.ts";
import { compare } from "../trace/script.ts";
import type { CaseRecord } from "./json_lines.ts";
import type { RecordedRun } from "./run_file.ts";
import type { Style } from "./style.ts";

/** A case that two runs disagree on. */
export interface Difference {
  readonly first: CaseRecord;
  readonly second: CaseRecord;
}

/** Two runs beside each other. */
export interface RunComparison {
  /** Cases with another verdict, or failures with another trace or reason. */
  readonly differences: readonly Difference[];
  /** Cases that pass in both with other traces: the specification leaves them the choice. */
  readonly liberties: readonly Difference[];
  /** Ids that only the first run has. */
  readonly onlyFirst: readonly string[];
  /** Ids that only the second run has. */
  readonly onlySecond: readonly string[];
  /** How many cases both have. */
  readonly common: number;
}

/** Compares two runs, case by case. */
export function compareRuns(first: RecordedRun, second: RecordedRun): RunComparison {
  const ids = [...first.cases.keys()].toSorted();
  const common = ids.filter((id) => second.cases.has(id));
  const pairs = common.map((id) => ({
    first: first.cases.get(id)!,
    second: second.cases.get(id)!,
  }));
  return {
    differences: pairs.filter(isDifference),
    liberties: pairs.filter((pair) => !isDifference(pair) && tracesDiffer(pair)),
    onlyFirst: ids.filter((id) => !second.cases.has(id)),
    onlySecond: [...second.cases.keys()].toSorted().filter((id) => !first.cases.has(id)),
    common: common.length,
  };
}

function isDifference(pair: Difference): boolean {
  const { first, second } = pair;
  if (first.verdict !== second.verdict) return true;
  // Why a case is skipped names the host, and two passes keep the same promise.
  if (first.verdict === "pass" || first.verdict === "skip") return false;
  return first.reason !== second.reason || tracesDiffer(pair);
}

function tracesDiffer({ first, second }: Difference): boolean {
  return first.actual !== second.actual;
}

/** A difference for people, without a newline at the end: `-` is the first run's, `+` the second's. */
export function formatDifference({ first, second }: Difference, style: Style): string {
  const verdicts = first.verdict === second.verdict
    ? `${first.verdict} in both`
    : `${first.verdict}, then ${second.verdict}`;
  const lines = [
    ...reasons("-", first),
    ...reasons("+", second),
    ...traceDiff(first.actual, second.actual),
  ];
  const texts = lines.map(({ mark, text }) => {
    const line = `    ${mark} ${text}`;
    if (mark === "-") return style.bad(line);
    return mark === "+" ? style.good(line) : line;
  });
  return [`${style.strong(first.id)}  ${verdicts}`, ...texts].join("\n");
}

function reasons(mark: "-" | "+", { verdict, reason }: CaseRecord): DiffLine[] {
  if (reason === undefined) return [];
  return [{ mark, text: `${verdict}: ${reason.split("\n")[0]}` }];
}

function traceDiff(first: string, second: string): DiffLine[] {
  if (first === second) return linesOf(" ", first);
  const [expected, actual] = [parse(first), parseRecorded(second)];
  const comparison = compare(expected, actual);
  if (!comparison.ok) return diff(expected, actual, comparison.divergence);
  // The second splits what the first has in one piece.
  return [...linesOf("-", first), ...linesOf("+", second)];
}

function linesOf(mark: DiffLine["mark"], trace: string): DiffLine[] {
  return trace === "" ? [] : trace.split("\n").map((text) => ({ mark, text }));
}
