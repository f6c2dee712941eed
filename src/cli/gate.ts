import type { Output } from "../report/console.ts";
import { GateReport } from "../report/gate.ts";
import { exitCode, type Problem, type Report, type Reported, runName } from "../report/report.ts";
import { BaselineError } from "../suite/baseline.ts";
import { Arguments } from "./arguments.ts";
import type { Backend } from "./backend.ts";
import { baselineFolder, findBaseline, type FoundBaseline } from "./baselines.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";
import { chooseBackends, type GateEntry, readGateConfig } from "./gate_config.ts";
import { updateFiles } from "./gate_update.ts";
import { hostBackend } from "./host_backend.ts";
import { judge } from "./judge.ts";
import { emulators, labBackend } from "./lab_backend.ts";
import { OutputFiles, outputHelp, outputOptions } from "./output_files.ts";
import { readRunFile, recordedBackend } from "./recorded_backend.ts";
import {
  guestsFolder,
  selectFrom,
  type Selection,
  selectionHelp,
  selectionOptions,
} from "./selection.ts";
import { updateDurations } from "./update_durations.ts";

/** What `gate --help` prints. */
export const gateHelp = `deno task gate [pattern...] [options]

Judges the suite on the backends of ci/gate.json and compares with their baselines.

A pattern is a part of a case's id, or the whole id with * for anything: pio, 'mmio/*~long'.

  --only NAME        a backend of ci/gate.json: svm-6.12, all of svm, or a name with *;
                     may be there several times
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

/** A run that the gate judged. */
export interface GateRun {
  readonly found: FoundBaseline;
  readonly judged: readonly Reported[];
}

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

interface Chosen {
  readonly backend: Backend;
  readonly optional: boolean;
}

/** The backends to be judged: those of the configuration, or the runs of a file. */
function readBackends(
  options: Arguments,
): { readonly backends: Chosen[]; readonly problems: Problem[] } {
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
  const { name, backend, kernel = "", params } = entry;
  if (backend === "host") return hostBackend();
  const emulator = emulators.get(backend);
  if (emulator === undefined) {
    const missing = new CommandError(`there is no lab ${backend}`, exitCodes.nothing);
    return { name, open: () => Promise.reject(missing) };
  }
  return labBackend(name, { emulator, kernel, parameters: params, modules: [], cpus: 1, guests });
}

function baselines(options: Arguments): URL {
  const path = options.value("baselines");
  return path === undefined ? baselineFolder : fileUrl(`${path.replace(/\/*$/, "")}/`);
}

/** The runs of a gate, one after the other. */
class GateRuns {
  readonly #selection: Selection;
  readonly #folder: URL;
  readonly #report: GateReport;
  readonly #files: Report;
  readonly #problems: Problem[] = [];
  /** What was judged, as far as it came. */
  readonly all: GateRun[] = [];
  #stale = false;

  constructor(selection: Selection, folder: URL, report: GateReport, files: Report) {
    this.#selection = selection;
    this.#folder = folder;
    this.#report = report;
    this.#files = files;
  }

  /** 1 when something is not as the baselines have it, else {@link completeness}. */
  get code(): number {
    const changed = this.all.some(({ judged }) => exitCode(judged) === exitCodes.unexpected);
    return changed || this.#stale ? exitCodes.unexpected : this.completeness;
  }

  /** 3 when a backend could not run to its end, or nothing was judged, else 0. */
  get completeness(): number {
    const judged = this.all.some(({ judged }) => exitCode(judged) !== exitCodes.nothing);
    const tolerable = this.#problems.every(({ tolerated }) => tolerated);
    return judged && tolerable ? exitCodes.expected : exitCodes.nothing;
  }

  problem(problem: Problem): void {
    this.#problems.push(problem);
    this.#report.problem(problem);
    this.#files.problem(problem);
  }

  /** Judges all backends, or as many as there are until the user interrupts it, which it gives. */
  async runAll(backends: readonly Chosen[]): Promise<CommandError | undefined> {
    try {
      for (const chosen of backends) await this.#run(chosen);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return error;
    }
  }

  /** Judges a backend; that it cannot run, or not to its end, is a problem. */
  async #run({ backend, optional }: Chosen): Promise<void> {
    const { name } = backend;
    let tolerated = optional;
    try {
      await using open = await backend.open(this.#selection.chosen, this.#report);
      const found = findBaseline(open.place, this.#folder);
      tolerated = false;
      const { shard } = this.#selection;
      const total = open.total ?? this.#selection.chosen.length;
      const header = { kind: "run", ...open.place, shard, cases: total } as const;
      this.#report.begin(header);
      this.#files.begin(header);
      const judged: Reported[] = [];
      this.all.push({ found, judged });
      this.#findGone(runName(header), found);
      for await (const reported of judge(open, this.#selection, found.baseline)) {
        judged.push(reported);
        this.#report.judged(reported);
        this.#files.judged(reported);
      }
      if (judged.length < total) {
        const message = `${judged.length} of ${total} cases were judged, the others are lost`;
        this.problem({ name, message, tolerated });
      }
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof BaselineError)) throw error;
      if (error instanceof CommandError && error.code > exitCodes.nothing) throw error;
      this.problem({ name, message: error.message, tolerated });
    }
  }

  /** Entries of a baseline that name no case are stale, whatever was chosen. */
  #findGone(name: string, { baseline }: FoundBaseline): void {
    for (const id of baseline.keys()) {
      if (this.#selection.suite.has(id)) continue;
      this.#stale = true;
      this.#report.gone(id);
      this.#files.problem({
        name: `${name} ${id}`,
        message: "the baseline lists it, but the suite has no such case: remove the entry",
        tolerated: false,
      });
    }
  }
}
