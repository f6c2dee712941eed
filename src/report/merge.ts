/** Shards of a run put together. */
import { isFailure } from "../suite/baseline.ts";
import type { CaseRecord } from "./json_lines.ts";
import { runName } from "./report.ts";
import { type RecordedRun, RunFileError } from "./run_file.ts";

/** A run that a file holds. */
export interface NamedRun extends RecordedRun {
  /** The file. */
  readonly name: string;
}

/** Runs put together. */
export interface MergedRuns {
  /** One for each place where cases ran, the cases by id. */
  readonly runs: readonly RecordedRun[];
  /** Shards that no file has, in words. */
  readonly missing: readonly string[];
  /** What else the user should know: cases that several files have, kernels that differ. */
  readonly notes: readonly string[];
}

/**
 * Puts together runs that took place on the same backend, kernel series and parameters. Of a case
 * that several files have, a failure is kept rather than a pass, and that it is there twice is said.
 *
 * @throws {RunFileError} when shards of one run are of different numbers.
 */
export function mergeRuns(runs: readonly NamedRun[]): MergedRuns {
  const groups = Map.groupBy(runs, ({ header }) => runName(header));
  const merged: MergedRuns[] = [...groups].map(([name, group]) => mergeGroup(name, group));
  return {
    runs: merged.flatMap(({ runs }) => runs),
    missing: merged.flatMap(({ missing }) => missing),
    notes: merged.flatMap(({ notes }) => notes),
  };
}

function mergeGroup(name: string, group: readonly NamedRun[]): MergedRuns {
  const notes: string[] = [];
  const kernels = [...new Set(group.map(({ header }) => header.kernel))];
  if (kernels.length > 1) notes.push(`${name} ran on several kernels: ${kernels.join(", ")}`);
  const { cases, duplicates } = joinCases(group);
  if (duplicates.length > 0) {
    const some = duplicates.slice(0, 3).join(", ");
    const more = duplicates.length > 3 ? ` and ${duplicates.length - 3} more` : "";
    notes.push(`${name}: in several files: ${some}${more}`);
  }
  const { shard: _, ...header } = group[0].header;
  return {
    runs: [{ header: { ...header, cases: cases.size }, cases }],
    missing: missingShards(name, group),
    notes,
  };
}

function joinCases(
  group: readonly NamedRun[],
): { readonly cases: Map<string, CaseRecord>; readonly duplicates: string[] } {
  const cases = new Map<string, CaseRecord>();
  const duplicates = new Set<string>();
  for (const run of group) {
    for (const [id, record] of run.cases) {
      const other = cases.get(id);
      if (other !== undefined) duplicates.add(id);
      if (other === undefined || !isFailure(other.verdict)) cases.set(id, record);
    }
  }
  return {
    cases: new Map([...cases].toSorted(([a], [b]) => a < b ? -1 : 1)),
    duplicates: [...duplicates],
  };
}

function missingShards(name: string, group: readonly NamedRun[]): string[] {
  const shards = group.map(({ header: { shard } }) => shard ?? "1/1");
  const counts = [...new Set(shards.map((shard) => shard.split("/")[1]))];
  if (counts.length > 1) {
    const files = group.map(({ name, header: { shard = "no shard" } }) => `${name} ${shard}`);
    throw new RunFileError(`${name}: these do not make up one run: ${files.join(", ")}`);
  }
  return Array.from({ length: Number(counts[0]) }, (_, index) => `${index + 1}/${counts[0]}`)
    .filter((shard) => !shards.includes(shard))
    .map((shard) => `${name}: shard ${shard} is missing`);
}
