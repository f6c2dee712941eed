import type { Output } from "../report/console.ts";
import { GateReport } from "../report/gate.ts";
import type { Problem } from "../report/report.ts";
import { Arguments } from "./arguments.ts";
import type { Backend } from "./backend.ts";
import { baselineFolder } from "./baselines.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";
import { chooseBackends, type GateEntry, readGateConfig } from "./gate_config.ts";
import { type GateBackend, GateRuns } from "./gate_runs.ts";
import { updateFiles } from "./gate_update.ts";
import { hostBackend } from "./host_backend.ts";
import { emulators, labBackend } from "./lab_backend.ts";
import { OutputFiles, outputHelp, outputOptions } from "./output_files.ts";
import { readRunFile, recordedBackend } from "./recorded_backend.ts";
import { guestsFolder, selectFrom, selectionHelp, selectionOptions } from "./selection.ts";
import { updateDurations } from "./update_durations.ts";

/** What `gate --help` prints. */
export const gateHelp = `deno task gate [pattern...] [options]

Judges the suite on the backends of ci/gate.json and compares with their baselines. A regression in a
lab runs once more by itself: one that does not come again is said, and tolerated.

A pattern is a part of a case's id, or the whole id with * for anything: pio, 'mmio/*~long'.

  --only NAME        a backend of ci/gate.json: svm-6.12, all of svm, or a name with *; it has to
                     run, optional or not, and judges more than the \`cases\` that it names there;
                     several times if need be
  --from FILE        judge the runs that a file of JSON lines records, and run nothing
  --update           write the baselines anew: keep the entries that still fail, drop those that
                     pass, add new failures with a reason
  --reason TEXT      why the new failures fail (asked for on a terminal)
  --reasons FILE     another baseline, whose reasons count for the same case and verdict
  --update-durations write how long cases take, for --shard
${outputHelp}
${selectionHelp}
  --config FILE      another file than ci/gate.json
  --baselines FOLDER another folder than ci/baselines
  --help             print this

Exit code: 0 as the baselines have it, 1 a failure they do not list or a stale entry, 2 wrong
usage, or a new failure without a reason, 3 a backend could not run, nothing was judged, or a file
could not be written.
`;

/** `deno task gate`: judges the backends, compares with their baselines, gives the exit code. */
export async function gate(args: readonly string[], output: Output): Promise<number> {
  const options = new Arguments("gate", args, {
    flags: ["update", "update-durations"],
    values: [
      ...["from", "reason", "reasons", "config", "baselines"],
      ...outputOptions,
      ...selectionOptions,
    ],
    lists: ["only"],
  });
  if (options.flag("help")) {
    output.write(gateHelp);
    return exitCodes.expected;
  }
  const selection = await selectFrom(options);
  const { backends, problems } = readBackends(options);
  using files = new OutputFiles(options, output);
  const report = new GateReport(output);
  const runs = new GateRuns(selection, baselines(options), report, files);
  for (const problem of problems) runs.problem(problem);
  const interruption = await runs.runAll(backends);
  report.finish();
  files.finish();
  if (interruption !== undefined) throw interruption;
  let { code } = runs;
  if (options.flag("update")) {
    updateFiles(options, selection, runs.all, output);
    code = runs.completeness;
  }
  if (options.flag("update-durations")) updateDurations(options, selection, runs.all, output);
  files.check(code);
  return code;
}

/** The backends to be judged: those of the configuration, or the runs of a file. */
function readBackends(
  options: Arguments,
): { readonly backends: GateBackend[]; readonly problems: Problem[] } {
  const only = options.list("only");
  const path = options.value("from");
  try {
    if (path === undefined) {
      const entries = readGateConfig(options.value("config"));
      const chosen = chooseBackends(entries, only, ({ onRequest }) => !onRequest);
      return {
        backends: chosen.map((entry) => ({
          backend: backendOf(entry, guestsFolder(options)),
          optional: entry.optional && only.length === 0,
          patterns: only.length === 0 ? entry.cases : undefined,
        })),
        problems: [],
      };
    }
    const { runs, gaps } = readRunFile(path);
    const chosen = chooseBackends(runs.map(recordedBackend), only, () => true);
    return {
      backends: chosen.map((backend) => ({ backend, optional: false })),
      problems: gaps.map((message) => ({ name: path, message, tolerated: false })),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw options.usage(error.message);
  }
}

function backendOf(entry: GateEntry, guests: URL): Backend {
  const { name, backend, kernel = "", params, lens } = entry;
  if (backend === "host") return hostBackend({ lens });
  const emulator = emulators.get(backend);
  if (emulator === undefined) {
    const missing = new CommandError(`there is no lab ${backend}`, exitCodes.nothing);
    return { name, open: () => Promise.reject(missing) };
  }
  return labBackend(name, {
    emulator,
    kernel,
    parameters: params,
    lens,
    modules: [],
    cpus: 1,
    guests,
  });
}

function baselines(options: Arguments): URL {
  const path = options.value("baselines");
  return path === undefined ? baselineFolder : fileUrl(`${path.replace(/\/*$/, "")}/`);
}
