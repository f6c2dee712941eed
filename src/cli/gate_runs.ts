import type { GateReport } from "../report/gate.ts";
import { exitCode, type Problem, type Report, type Reported, runName } from "../report/report.ts";
import { BaselineError } from "../suite/baseline.ts";
import { selectCases } from "../suite/catalogue.ts";
import type { Backend } from "./backend.ts";
import { findBaseline, type FoundBaseline } from "./baselines.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { judgeTwice } from "./judge_twice.ts";
import type { Selection } from "./selection.ts";

/** A backend that the gate is to judge. */
export interface GateBackend {
  readonly backend: Backend;
  /** Whether the gate may pass where it cannot run. */
  readonly optional: boolean;
  /** Patterns of the cases that it judges of those chosen; default all. */
  readonly patterns?: readonly string[];
}

/** A run that the gate judged. */
export interface GateRun {
  readonly found: FoundBaseline;
  readonly judged: readonly Reported[];
}

/** The runs of a gate, one after the other. */
export class GateRuns {
  readonly #selection: Selection;
  readonly #folder: URL;
  readonly #report: GateReport;
  readonly #files: Report;
  readonly #problems: Problem[] = [];
  /** What was judged, as far as it came. */
  readonly all: GateRun[] = [];
  #stale = false;

  /**
   * Nothing is judged yet.
   *
   * @param folder of the baselines
   * @param files told of everything beside the report for people
   */
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

  /** Something is the matter beside the verdicts. */
  problem(problem: Problem): void {
    this.#problems.push(problem);
    this.#report.problem(problem);
    this.#files.problem(problem);
  }

  /** Judges all backends, or as many as there are until the user interrupts it, which it gives. */
  async runAll(backends: readonly GateBackend[]): Promise<CommandError | undefined> {
    try {
      for (const backend of backends) await this.#run(backend);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return error;
    }
  }

  /** Judges a backend; that it cannot run, or not to its end, is a problem. */
  async #run({ backend, optional, patterns = [] }: GateBackend): Promise<void> {
    const { name } = backend;
    const selection = {
      ...this.#selection,
      chosen: selectCases(this.#selection.chosen, patterns),
    };
    if (selection.chosen.length === 0) return;
    let tolerated = optional;
    try {
      await using open = await backend.open(selection.chosen, this.#report);
      tolerated = false;
      const found = findBaseline(open.place, this.#folder);
      const { shard, suite } = selection;
      const total = open.total ?? selection.chosen.length;
      const header = { kind: "run", ...open.place, shard, cases: total } as const;
      this.#report.begin(header);
      this.#files.begin(header);
      const judged: Reported[] = [];
      this.all.push({ found, judged });
      this.#findGone(runName(header), found);
      const results = judgeTwice({
        backend,
        open,
        selection,
        baseline: found.baseline,
        progress: this.#report,
        tolerate: (message) => this.problem({ name, message, tolerated: true }),
      });
      for await (const reported of results) {
        judged.push(reported);
        this.#report.judged(reported);
        this.#files.judged(reported);
      }
      if (judged.length < total) {
        const message = `${judged.length} of ${total} cases were judged, the others are lost`;
        this.problem({ name, message, tolerated });
      } else if (total === suite.size && exitCode(judged) === exitCodes.nothing) {
        this.problem({ name, message: "nothing was judged: it skips every case", tolerated });
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
