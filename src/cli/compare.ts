import { compareRuns, formatDifference, type RunComparison } from "../report/comparison.ts";
import type { Output } from "../report/console.ts";
import { runName } from "../report/report.ts";
import type { RecordedRun, RunFile } from "../report/run_file.ts";
import { colorStyle, plainStyle, type Style } from "../report/style.ts";
import { Arguments } from "./arguments.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { readRunFile } from "./recorded_backend.ts";

/** What `compare --help` prints. */
export const compareHelp = `deno task compare A.jsonl B.jsonl [options]

Prints what differs between two runs (of two kernels, two vendors, two days), case by case: verdicts,
and the traces of failures, - of A and + of B. Files that hold several runs are compared run by run.

  --strict           count it as a difference, too, where a case passes in both with other traces:
                     the specification leaves it the choice
  --help             print this

Exit code: 0 they are the same, 1 they differ, 2 wrong usage, 3 a file cannot be read or is damaged,
or the files have no case in common. A file that was cut off is read as far as it goes.
`;

/** `deno task compare`: prints what differs between two runs, and gives the exit code. */
export function compare(args: readonly string[], output: Output): Promise<number> {
  const options = new Arguments("compare", args, { flags: ["strict"] });
  if (options.flag("help")) {
    output.write(compareHelp);
    return Promise.resolve(exitCodes.expected);
  }
  if (options.words.length !== 2) {
    throw options.usage(`two files are compared, ${options.words.length} are given`);
  }
  const [first, second] = options.words.map(readRunFile);
  for (const gap of [...first.gaps, ...second.gaps]) output.write(`${gap}\n`);
  const strict = options.flag("strict");
  const style = output.color ? colorStyle : plainStyle;
  const outcomes = pairs(first, second).map(([a, b]) => {
    const comparison = compareRuns(a, b);
    output.write(formatComparison(a, b, comparison, strict, style));
    return comparison;
  });
  if (outcomes.every(({ common }) => common === 0)) {
    throw new CommandError("the two have no case in common", exitCodes.nothing);
  }
  const isDifferent = outcomes.some(({ differences, liberties, onlyFirst, onlySecond }) =>
    [differences, onlyFirst, onlySecond, strict ? liberties : []].some(({ length }) => length > 0)
  );
  return Promise.resolve(isDifferent ? exitCodes.unexpected : exitCodes.expected);
}

/** The runs of two files that belong together: the only ones, or those of the same name. */
function pairs(first: RunFile, second: RunFile): [RecordedRun, RecordedRun][] {
  if (first.runs.length === 1 && second.runs.length === 1) {
    return [[first.runs[0], second.runs[0]]];
  }
  const names = (runs: readonly RecordedRun[]) => runs.map(({ header }) => runName(header));
  const [ours, theirs] = [names(first.runs), names(second.runs)];
  const alone = [
    ...ours.filter((name) => !theirs.includes(name)),
    ...theirs.filter((name) => !ours.includes(name)),
  ];
  if (alone.length > 0) {
    throw new CommandError(
      `only one of the files has a run on ${alone.join(", ")}`,
      exitCodes.nothing,
    );
  }
  return first.runs.map((run, index) => [run, second.runs[theirs.indexOf(ours[index])]]);
}

function formatComparison(
  first: RecordedRun,
  second: RecordedRun,
  comparison: RunComparison,
  strict: boolean,
  style: Style,
): string {
  const { differences, liberties, onlyFirst, onlySecond, common } = comparison;
  const shown = strict ? [...differences, ...liberties] : differences;
  const sections = [
    [...describe("-", first), ...describe("+", second)].join("\n"),
    ...shown.map((difference) => formatDifference(difference, style)),
    onlyIn("A", onlyFirst),
    onlyIn("B", onlySecond),
    summary(common, differences.length, liberties.length),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function describe(mark: string, { header, cases }: RecordedRun): string[] {
  return [`${mark} ${runName(header)}  Linux ${header.kernel}, ${cases.size} cases`];
}

function onlyIn(which: string, ids: readonly string[]): string {
  if (ids.length === 0) return "";
  return [`only ${which} has ${ids.length} cases:`, ...ids.map((id) => `    ${id}`)].join("\n");
}

function summary(common: number, differences: number, liberties: number): string {
  const rest = liberties === 0 ? "" : `; ${liberties} pass in both with other traces`;
  return `${differences} of ${common} cases differ${rest}`;
}
