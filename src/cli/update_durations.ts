import type { Output } from "../report/console.ts";
import { formatWeights, weighRuns } from "../suite/shard.ts";
import type { Arguments } from "./arguments.ts";
import type { GateRun } from "./gate_runs.ts";
import { replaceFile } from "./replace_file.ts";
import { durationsFile, readDurations, type Selection } from "./selection.ts";

/**
 * Writes how long cases take, by the runs at hand; cases that they do not have keep their weight.
 *
 * @throws {CommandError} when the file is damaged or cannot be written.
 */
export function updateDurations(
  options: Arguments,
  { suite }: Selection,
  runs: readonly GateRun[],
  output: Output,
): void {
  const times = runs.map(({ judged }) =>
    new Map(
      judged.filter(({ result }) => result.verdict !== "skip")
        .map(({ result }) => [result.case.id, result.milliseconds]),
    )
  );
  const recorded = [...readDurations(options, false)].filter(([id]) => suite.has(id));
  const weights = weighRuns(times, new Map(recorded));
  const file = durationsFile(options);
  replaceFile(file, formatWeights(weights));
  output.write(`${file.pathname}: ${weights.size} cases take longer than most\n`);
}
