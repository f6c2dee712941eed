import { bochs } from "../../ci/lab/bochs.ts";
import { Cache } from "../../ci/lab/cache.ts";
import type { Emulator } from "../../ci/lab/emulator.ts";
import { LabError } from "../../ci/lab/error.ts";
import { type Lab, type LabDescription, prepareLab, runLab } from "../../ci/lab/lab.ts";
import { qemu } from "../../ci/lab/qemu.ts";
import { CatalogueError } from "../suite/catalogue.ts";
import type { CaseResult } from "../suite/verdict.ts";
import type { Backend, OpenBackend, Progress } from "./backend.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { Interruption } from "./interruption.ts";
import { streamResults } from "./result_stream.ts";

/** The labs there are: the emulator that each one boots. */
export const emulators: ReadonlyMap<string, Emulator> = new Map([
  ["svm", qemu],
  ["vmx", bochs],
]);

/** What a lab is to be, and how it runs. */
export interface LabOptions extends LabDescription {
  /** How many machines run side by side; default as many as suit. */
  readonly jobs?: number;
  /** Gets the folder with what the labs have said, which is kept then. */
  readonly keep?: (folder: string) => void;
}

/** A lab: KVM of a vendor in an emulator of its CPU. */
export function labBackend(name: string, options: LabOptions): Backend {
  return {
    name,
    async open(cases, progress) {
      const interruption = new Interruption();
      try {
        const cache = new Cache();
        const lab = await prepareLab(cache, options, (step) => progress.note(step));
        interruption.signal.throwIfAborted();
        const wanted = new Set(cases.map(({ case: { id } }) => id));
        const numbers = lab.cases.flatMap(({ case: { id } }, number) =>
          wanted.has(id) ? [number] : []
        );
        return new OpenLab(cache, lab, numbers, options, progress, interruption);
      } catch (error) {
        interruption[Symbol.dispose]();
        throw asCommandError(error, interruption);
      }
    },
  };
}

/** A lab that is built and can be booted. */
class OpenLab implements OpenBackend {
  readonly #run: (signal: AbortSignal, end: (result: CaseResult) => void) => Promise<void>;
  readonly #interruption: Interruption;
  readonly place: OpenBackend["place"];
  readonly emulated = true;

  constructor(
    cache: Cache,
    lab: Lab,
    numbers: readonly number[],
    { emulator, parameters, lens, jobs, keep }: LabOptions,
    progress: Progress,
    interruption: Interruption,
  ) {
    const { release } = lab.kernel;
    const { backend } = emulator;
    this.place = { lab: true, kernel: release, backend, params: parameters, lens };
    this.#interruption = interruption;
    this.#run = (signal, end) =>
      runLab(cache, lab, { numbers, jobs, signal, keep }, {
        boot: (again) => progress.note(again ? "booting again" : `booting ${release}`),
        stage: (stage) => progress.note(stages[stage]),
        begin: ({ case: { id } }) => progress.case(id),
        end: (_, result) => end(result),
      });
  }

  async *results(): AsyncIterable<CaseResult> {
    const { signal } = this.#interruption;
    try {
      yield* streamResults<CaseResult>((unwanted, take) =>
        this.#run(AbortSignal.any([unwanted, signal]), take)
      );
    } catch (error) {
      throw asCommandError(error, this.#interruption);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#interruption[Symbol.dispose]();
    return Promise.resolve();
  }
}

const stages = {
  init: "the kernel runs, loading the modules",
  modules: "the modules are loaded, starting the suite",
} as const;

function asCommandError(error: unknown, { signal, code }: Interruption): unknown {
  if (signal.aborted) return new CommandError("interrupted", code);
  if (error instanceof LabError) {
    return new CommandError(error.message, error.usage ? exitCodes.usage : exitCodes.nothing);
  }
  if (!(error instanceof CatalogueError)) return error;
  return new CommandError(error.message, exitCodes.nothing);
}
