/** A baseline brought up to date with a run. */
import { type Baseline, isFailure, type KnownFailure } from "./baseline.ts";
import type { Verdict } from "./verdict.ts";

/** What a run would make of its baseline. */
export interface BaselineUpdate {
  /** Entries that stay: they failed as listed, or were not judged. */
  readonly kept: Baseline;
  /** Failures that want a reason: those not listed, or listed with another verdict. */
  readonly added: ReadonlyMap<string, Verdict>;
  /** Entries that go: they pass, or the suite has no such case any more. */
  readonly removed: readonly string[];
}

/**
 * Compares a baseline with the verdicts of a run.
 *
 * @param verdicts of the cases that were judged, by id
 * @param exists whether the suite has a case
 */
export function updateBaseline(
  baseline: Baseline,
  verdicts: ReadonlyMap<string, Verdict>,
  exists: (id: string) => boolean,
): BaselineUpdate {
  const added = new Map(
    [...verdicts].filter(([id, verdict]) =>
      isFailure(verdict) && baseline.get(id)?.verdict !== verdict
    ),
  );
  const isGone = (id: string) => !exists(id) || verdicts.get(id) === "pass";
  return {
    kept: new Map([...baseline].filter(([id]) => !isGone(id) && !added.has(id))),
    added,
    removed: [...baseline.keys()].filter(isGone),
  };
}

/** The text of a baseline, by id. */
export function formatBaseline(baseline: Baseline): string {
  const entries = [...baseline].toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([id, { verdict, reason, since }]): [string, KnownFailure] => [
      id,
      { verdict, reason, since },
    ]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
