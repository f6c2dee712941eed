import { HostError } from "../kvm/host_error.ts";
import type { LensName } from "../suite/lens.ts";
import { LocalHost } from "../suite/local_host.ts";
import type { Backend } from "./backend.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { ForcedEmulation } from "./forced_emulation.ts";
import { hostPlace } from "./host_place.ts";

/** How this machine's KVM is judged. */
export interface HostOptions {
  /** Milliseconds that a case's guest may take if the case does not say. */
  readonly timeout?: number;
  /** What the host does between two exits. */
  readonly lens?: LensName;
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
          for (const { case: definition } of cases) {
            progress.case(definition.id);
            yield await host.run(definition);
          }
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
