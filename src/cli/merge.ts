import { ConsoleReport, type Output } from "../report/console.ts";
import { resultOf } from "../report/json_lines.ts";
import { type MergedRuns, mergeRuns } from "../report/merge.ts";
import { exitCode, type Reported, runName } from "../report/report.ts";
import { type RecordedRun, RunFileError } from "../report/run_file.ts";
import type { CatalogueEntry } from "../suite/catalogue.ts";
import { Arguments } from "./arguments.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { shortPath } from "./file_url.ts";
import { OutputFiles, outputHelp, outputOptions } from "./output_files.ts";
import { readRunFile } from "./recorded_backend.ts";
import { loadSuite } from "./selection.ts";

/** What `merge --help` prints. */
export const mergeHelp = `deno task merge A.jsonl B.jsonl... [options]

Joins the runs of shards and reports them as the one run that they are. What the shards said of the
baseline stands.

${outputHelp}
  --guests FOLDER    the folder of cases that the shards ran
  --help             print this

Exit code: as of a run: 0 as expected, 1 unexpected failure or stale baseline entry, 2 wrong usage,
3 a file cannot be read or is damaged, a shard or a part of one is missing, or nothing was judged.
`;

/** `deno task merge`: joins runs, reports them and gives the exit code. */
export async function merge(args: readonly string[], output: Output): Promise<number> {
  const options = new Arguments("merge", args, { values: [...outputOptions, "guests"] });
  if (options.flag("help")) {
    output.write(mergeHelp);
    return exitCodes.expected;
  }
  if (options.words.length === 0) throw options.usage("no file is given");
  const read = options.words.map((path) => ({ path, ...readRunFile(path) }));
  const { runs, missing, notes } = join(
    read.flatMap(({ path, runs }) => runs.map((run) => ({ name: path, ...run }))),
  );
  const suite = new Map((await loadSuite(options)).map((entry) => [entry.case.id, entry]));
  using files = new OutputFiles(options, output);
  const lacking = [...missing, ...read.flatMap(({ gaps }) => gaps)];
  for (const note of notes) output.write(`${note}\n`);
  const codes = runs.map((run) => report(run, suite, files, output));
  for (const message of lacking) {
    output.write(`${message}\n`);
    files.problem({ name: "merge", message, tolerated: false });
  }
  files.finish();
  const code = outcome(codes, lacking.length === 0);
  files.check(code);
  return code;
}

function join(runs: Parameters<typeof mergeRuns>[0]): MergedRuns {
  try {
    return mergeRuns(runs);
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}

function report(
  { header, cases }: RecordedRun,
  suite: ReadonlyMap<string, CatalogueEntry>,
  files: OutputFiles,
  output: Output,
): number {
  files.begin(header);
  output.write(`${runName(header)}  Linux ${header.kernel}, ${cases.size} cases\n`);
  const console = new ConsoleReport(output, cases.size);
  const all = [...cases.values()].map((record): Reported => {
    const entry = suite.get(record.id);
    const { standing, known } = record;
    return {
      result: resultOf(record, entry?.case),
      standing,
      known,
      file: entry && shortPath(entry.file),
    };
  });
  for (const reported of all) {
    console.end(reported);
    files.judged(reported);
  }
  console.finish(all.reduce((sum, { result }) => sum + result.milliseconds, 0));
  return exitCode(all);
}

function outcome(codes: readonly number[], isWhole: boolean): number {
  if (codes.includes(exitCodes.unexpected)) return exitCodes.unexpected;
  return isWhole && codes.includes(exitCodes.expected) ? exitCodes.expected : exitCodes.nothing;
}
