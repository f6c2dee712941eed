/** What every report of a run is told, and what it makes of a whole run. */
import { isFailure, type KnownFailure, type Standing } from "../suite/baseline.ts";
import { formatFailure, type ReportedResult } from "./failure.ts";
import type { RunHeader } from "./json_lines.ts";
import { plainStyle, type Style } from "./style.ts";

/** A result with what the baseline says of it. */
export interface Reported {
  readonly result: ReportedResult;
  readonly standing: Standing;
  readonly known?: KnownFailure;
  /** The file that defines the case; absent where the suite at hand has no such case. */
  readonly file?: string;
}

/** Something beside the verdicts: a backend that could not run, an entry that names no case. */
export interface Problem {
  /** The backend or the case. */
  readonly name: string;
  /** What is the matter, and what to do, in a sentence. */
  readonly message: string;
  /** Whether the run ends as it should all the same. */
  readonly tolerated: boolean;
}

/** A form that runs are reported in. */
export interface Report {
  /** A run begins; what is judged from here on belongs to it. */
  begin(header: RunHeader): void;
  /** A case was judged. */
  judged(reported: Reported): void;
  /** Something else happened. */
  problem(problem: Problem): void;
  /** All runs have ended. */
  finish(): void;
}

/** Where a run took place, as far as its name goes. */
export type Place = Pick<RunHeader, "kernel" | "backend" | "params" | "lab" | "lens">;

/**
 * The name of where a run took place, as baselines and `ci/gate.json` have it: `svm-6.12-npt=0` of
 * a lab, `host-pvm-6.18` of a machine; under a lens it ends with the lens.
 */
export function runName({ kernel, backend, params = [], lab, lens }: Place): string {
  const parts = [
    backend,
    series(kernel),
    ...params.toSorted(),
    ...lens === undefined ? [] : [lens],
  ];
  return (lab ? parts : ["host", ...parts]).join("-");
}

/** The series of a kernel release: `6.12` of 6.12.95-cloud-amd64. */
export function series(release: string): string {
  return /^\d+\.\d+/.exec(release)?.[0] ?? release;
}

/** Whether a run ended as it should: 0; or not: 1; or judged nothing: 3. */
export function exitCode(all: readonly Pick<Reported, "result" | "standing">[]): number {
  const judged = all.some(({ result }) => result.verdict === "pass" || isFailure(result.verdict));
  if (!judged) return 3;
  return all.some(({ standing }) => standing === "regression" || standing === "stale") ? 1 : 0;
}

/** A regression for people, with what the baseline knows otherwise. */
export function formatReported({ result, file, known }: Reported, style: Style): string {
  const text = formatFailure(result, style, file);
  if (known === undefined) return text;
  return `${text}\n    the baseline knows it as ${known.verdict}: ${known.reason}`;
}

/** What a stale entry is told. */
export const STALE = "it passes, but the baseline lists it as a failure: remove the entry";

/** The text of what ends a run with 1, without emphasis; `undefined` of what does not. */
export function complaint(reported: Reported): string | undefined {
  if (reported.standing === "stale") return STALE;
  return reported.standing === "regression" ? formatReported(reported, plainStyle) : undefined;
}
