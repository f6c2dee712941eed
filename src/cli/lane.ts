import type { CatalogueEntry } from "../suite/catalogue.ts";
import { prepareGuest } from "../suite/guest.ts";
import type { LocalHostOptions } from "../suite/local_host.ts";
import type { Autopsy, CaseResult } from "../suite/verdict.ts";

/** What the thread of a lane is told to do. */
export type LaneRequest =
  | { readonly kind: "open"; readonly files: readonly string[]; readonly options: LocalHostOptions }
  | { readonly kind: "run"; readonly id: string }
  | { readonly kind: "close" };

/** A result on its way out of a lane: what the main thread has itself is left out. */
export type LaneResult = Omit<CaseResult, "case" | "autopsy"> & {
  readonly autopsy?: Omit<Autopsy, "assembled">;
};

/** A thread with a KVM of its own that runs cases, one after the other. */
export class Lane implements Disposable {
  readonly #files: readonly string[];
  readonly #options: LocalHostOptions;
  #worker: Worker | undefined;

  /**
   * Starts nothing yet.
   *
   * @param files URLs of the files whose cases it may be asked for
   * @param options how its host runs them
   */
  constructor(files: readonly string[], options: LocalHostOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** Runs a case. That the thread dies of it is its verdict: the next case has another thread. */
  async run({ case: definition }: CatalogueEntry): Promise<CaseResult> {
    try {
      if (this.#worker === undefined) {
        this.#worker = new Worker(import.meta.resolve("./lane_worker.ts"), { type: "module" });
        await this.#ask({ kind: "open", files: this.#files, options: this.#options });
      }
      const { autopsy, ...result } = await this.#ask({ kind: "run", id: definition.id });
      return {
        ...result,
        case: definition,
        autopsy: autopsy && { ...autopsy, assembled: prepareGuest(definition).assembled },
      };
    } catch (error) {
      this.#worker?.terminate();
      this.#worker = undefined;
      return {
        case: definition,
        verdict: "crash",
        reason: `the thread that ran it died: ${(error as Error).message}`,
        expected: [],
        trace: [],
        milliseconds: 0,
      };
    }
  }

  #ask(request: LaneRequest): Promise<LaneResult> {
    const worker = this.#worker!;
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(request);
    });
  }

  /** Closes its KVM and ends the thread. */
  [Symbol.dispose](): void {
    this.#worker?.postMessage({ kind: "close" } satisfies LaneRequest);
    this.#worker = undefined;
  }
}
