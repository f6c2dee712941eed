import { ConsoleReport, type Output } from "../report/console.ts";
import { exitCode, type Reported } from "../report/report.ts";
import { type Baseline, BaselineError } from "../suite/baseline.ts";
import { Arguments } from "./arguments.ts";
import type { OpenBackend, Progress } from "./backend.ts";
import { findBaseline, readBaseline } from "./baselines.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";
import { hostBackend } from "./host_backend.ts";
import { judgeTwice } from "./judge_twice.ts";
import { lensHelp, readLens } from "./lens_option.ts";
import { OutputFiles, outputHelp, outputOptions } from "./output_files.ts";
import { selectFrom, selectionHelp, selectionOptions } from "./selection.ts";

/** What `conform --help` prints. */
export const conformHelp = `deno task conform [pattern...] [options]

Runs the suite on this host's KVM and judges every trace.

A pattern is a part of a case's id, or the whole id with * for anything: pio, 'mmio/*~long'.

  --list             print the ids that would run, and run nothing
${outputHelp}
  --jobs N           threads that run cases side by side (default one for each CPU, and one for
                     100 cases or fewer); cases of several vCPUs run by themselves after the
                     others
  --timeout MS       what a case's guest may take (default 3000); the cases that say it
                     themselves are scaled alike, so that 30000 suits a machine ten times slower
${lensHelp}
  --baseline FILE    the failures that are known of this host (default: the one in ci/baselines
                     for its backend and kernel series, if there is one)
  --no-baseline      judge without a baseline: every failure is unexpected
${selectionHelp}
  --help             print this

Exit code: 0 as expected, 1 unexpected failure or stale baseline entry, 2 wrong usage,
3 nothing could be run, or a file could not be written.
`;

/** `deno task conform`: runs cases on this host and gives the exit code. */
export async function conform(args: readonly string[], output: Output): Promise<number> {
  const options = new Arguments("conform", args, {
    flags: ["list"],
    values: ["timeout", "lens", "jobs", ...outputOptions, ...selectionOptions],
    negatable: ["baseline"],
  });
  if (options.flag("help")) {
    output.write(conformHelp);
    return exitCodes.expected;
  }
  const timeout = readTimeout(options);
  const lens = readLens(options);
  const jobs = options.count("jobs", 64);
  const selection = await selectFrom(options);
  const { chosen, shard } = selection;
  if (options.flag("list")) {
    output.write(chosen.map(({ case: { id } }) => `${id}\n`).join(""));
    return exitCodes.expected;
  }
  const report = new ConsoleReport(output, chosen.length);
  const progress: Progress = { case: (id) => report.begin(id), note: () => {} };
  const backend = hostBackend({ timeout, lens, jobs, wayOn: wayOn(options.words) });
  await using host = await backend.open(chosen, progress);
  const baseline = knownFailures(options, host);
  using files = new OutputFiles(options, output);
  files.begin({ kind: "run", ...host.place, shard, cases: chosen.length });
  const tolerate = (message: string) => {
    report.tolerated(message);
    files.problem({ name: backend.name, message, tolerated: true });
  };
  const all: Reported[] = [];
  const run = { backend, open: host, selection, baseline, progress, tolerate };
  for await (const reported of judgeTwice(run)) {
    all.push(reported);
    report.end(reported);
    files.judged(reported);
  }
  report.finish();
  files.finish();
  const code = exitCode(all);
  files.check(code);
  return code;
}

/** Where to go on without KVM, with the command for the same cases. */
function wayOn(patterns: readonly string[]): string {
  const quoted = patterns.map((pattern) => pattern.includes("*") ? ` '${pattern}'` : ` ${pattern}`);
  const command = (lab: string) => `deno task lab ${lab}${quoted.join("")}`;
  return "Emulated CPUs do without it: " +
    `${command("svm")} judges AMD's KVM, ${command("vmx")} Intel's.`;
}

function readTimeout(options: Arguments): number | undefined {
  const text = options.value("timeout");
  if (text === undefined) return;
  const milliseconds = Number(text);
  if (milliseconds > 0 && milliseconds < 2 ** 31) return milliseconds;
  throw options.usage(`--timeout ${text} is not a number of milliseconds above 0`);
}

function knownFailures(options: Arguments, { place }: OpenBackend): Baseline {
  if (options.negated("baseline")) return new Map();
  const file = options.value("baseline");
  try {
    return file === undefined ? findBaseline(place).baseline : readBaseline(fileUrl(file));
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}
