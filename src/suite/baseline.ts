import type { Verdict } from "./verdict.ts";

/** A failure that is known: what a host does wrong, and why it does. */
export interface KnownFailure {
  /** The verdict to be expected. */
  readonly verdict: Verdict;
  /** Why the host fails, and how that is known. */
  readonly reason: string;
  /** Since when, as `YYYY-MM-DD`. */
  readonly since: string;
}

/** The failures of a host that are known, by case id. */
export type Baseline = ReadonlyMap<string, KnownFailure>;

/** What a verdict means beside the baseline. */
export type Standing = "expected" | "known" | "regression" | "stale";

/** Thrown when a baseline cannot be read; the message names the file, the place and the mend. */
export class BaselineError extends Error {
  /** The class's name. */
  override readonly name = "BaselineError";
}

const failures: ReadonlySet<string> = new Set(["fail", "timeout", "crash", "error"]);

/** Whether a verdict is one of failure: it needs a baseline entry not to end a gate. */
export function isFailure(verdict: Verdict): boolean {
  return failures.has(verdict);
}

/**
 * Where a verdict stands: as expected; a known failure; a failure that is not listed, or another
 * than is listed (a regression); or a listed failure that passes (a stale entry). A skip is always
 * as expected.
 */
export function standing(baseline: Baseline, id: string, verdict: Verdict): Standing {
  const known = baseline.get(id);
  if (isFailure(verdict)) return known?.verdict === verdict ? "known" : "regression";
  return known !== undefined && verdict === "pass" ? "stale" : "expected";
}

/**
 * Reads a baseline: a JSON object of case ids, each with `verdict`, `reason` and `since`.
 *
 * @param name of the file, for messages
 * @throws {BaselineError} when the text is not JSON or an entry is malformed.
 *
 * @example
 * ```ts
 * import { parseBaseline } from "@trapline/trapline";
 *
 * const baseline = parseBaseline("pvm.json", `{
 *   "exit/hlt~pae": { "verdict": "fail", "reason": "no 32-bit paging", "since": "2026-11-23" }
 * }`);
 * console.log(baseline.get("exit/hlt~pae")?.verdict); // "fail"
 * ```
 */
export function parseBaseline(name: string, text: string): Baseline {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BaselineError(`baseline ${name} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BaselineError(`baseline ${name} is not an object of case ids`);
  }
  return new Map(Object.entries(value).map(([id, entry]) => [id, checkEntry(name, id, entry)]));
}

function checkEntry(name: string, id: string, entry: unknown): KnownFailure {
  const wrong = (problem: string) => new BaselineError(`baseline ${name}, case ${id}: ${problem}`);
  if (typeof entry !== "object" || entry === null) throw wrong("the entry is not an object");
  const { verdict, reason, since, ...rest } = entry as Record<string, unknown>;
  if (typeof verdict !== "string" || !failures.has(verdict)) {
    throw wrong(`the verdict is ${JSON.stringify(verdict)}, not fail, timeout, crash or error`);
  }
  if (typeof reason !== "string" || reason.trim() === "") throw wrong("it gives no reason");
  if (typeof since !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(since)) {
    throw wrong(`\`since\` is ${JSON.stringify(since)}, not a date as 2026-01-31`);
  }
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw wrong(`nothing is called ${unknown.join(", ")} here`);
  return { verdict: verdict as Verdict, reason, since };
}
