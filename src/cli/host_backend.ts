import { HostError } from "../kvm/host_error.ts";
import type { LensName } from "../suite/lens.ts";
import type { CatalogueEntry } from "../suite/catalogue.ts";
import { LocalHost } from "../suite/local_host.ts";
import type { CaseResult } from "../suite/verdict.ts";
import type { Backend } from "./backend.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { ForcedEmulation } from "./forced_emulation.ts";
import { hostPlace } from "./host_place.ts";
import { Lane } from "./lane.ts";
import { streamResults } from "./result_stream.ts";

/** How this machine's KVM is judged. */
export interface HostOptions {
  /** Milliseconds that a case's guest may take if the case does not say. */
  readonly timeout?: number;
  /** What the host does between two exits. */
  readonly lens?: LensName;
  /** How many threads run cases side by side; default one for each CPU, or one for few cases. */
  readonly jobs?: number;
  /** What to do on a machine that has no KVM, in a sentence. */
  readonly wayOn?: string;
}

/** The KVM of this machine. */
export function hostBackend(options: HostOptions = {}): Backend {
  return {
    name: options.lens === undefined ? "host" : `host-${options.lens}`,
    open(cases, progress) {
      const host = openHost(options);
      const forcedEmulation = new ForcedEmulation(host.facts.backend);
      const place = hostPlace(host.facts);
      return Promise.resolve({
        place: { ...place, lens: options.lens },
        emulated: place.lab,
        async *results() {
          const begin = ({ case: definition }: CatalogueEntry) => {
            progress.case(definition.id);
            return definition;
          };
          const { jobs = cases.length <= FEW ? 1 : navigator.hardwareConcurrency } = options;
          const [together, alone] = jobs === 1 ? [[], cases] : partition(cases, host);
          yield* streamResults<CaseResult>((signal, take) =>
            runInLanes(together, { ...options, jobs }, signal, begin, take)
          );
          // One by one: a result is kept before the next case, which this thread may die of, begins.
          for (const entry of alone) yield await host.run(begin(entry));
        },
        [Symbol.asyncDispose]() {
          forcedEmulation[Symbol.dispose]();
          host[Symbol.dispose]();
          return Promise.resolve();
        },
      });
    },
  };
}

/** So few cases are through before the threads of lanes have started. */
const FEW = 100;

/** What lanes run side by side, and what this thread runs by itself. */
function partition(
  cases: readonly CatalogueEntry[],
  host: LocalHost,
): [together: CatalogueEntry[], alone: CatalogueEntry[]] {
  const together: CatalogueEntry[] = [];
  const alone: CatalogueEntry[] = [];
  for (const entry of cases) {
    const { vcpus = 1 } = entry.case;
    // Several vCPUs fill a machine, and a skip takes no time.
    const needsThisThread = vcpus > 1 || host.missing(entry.case) !== undefined;
    (needsThisThread ? alone : together).push(entry);
  }
  return [together, alone];
}

/** Runs cases side by side. Each result is handed over as soon as it is known, so that it is kept. */
async function runInLanes(
  cases: readonly CatalogueEntry[],
  { jobs, timeout, lens }: HostOptions & { readonly jobs: number },
  signal: AbortSignal,
  begin: (entry: CatalogueEntry) => void,
  take: (result: CaseResult) => void,
): Promise<void> {
  const files = [...new Set(cases.map(({ file }) => file))];
  const waiting = cases.values();
  const lanes = Array.from({ length: Math.min(jobs, cases.length) }, async () => {
    using lane = new Lane(files, { timeout, lens });
    for (const entry of waiting) {
      if (signal.aborted) return;
      begin(entry);
      take(await lane.run(entry));
    }
  });
  await Promise.all(lanes);
}

function openHost({ timeout, lens, wayOn }: HostOptions): LocalHost {
  try {
    return LocalHost.open({ timeout, lens, keepThreads: true });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // A lab's Deno and its kernel are those of an x86-64 Linux host too.
    const way = wayOn === undefined || error.problem === "platform" ? "" : ` ${wayOn}`;
    throw new CommandError(error.message + way, exitCodes.nothing);
  }
}
