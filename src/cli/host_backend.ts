import { HostError } from "../kvm/kvm.ts";
import { LocalHost } from "../suite/local_host.ts";
import type { Backend } from "./backend.ts";
import { CommandError, exitCodes } from "./exit.ts";

/**
 * The KVM of this machine.
 *
 * @param timeout milliseconds that a case's guest may take if the case does not say
 */
export function hostBackend(timeout?: number): Backend {
  return {
    name: "host",
    open(cases, progress) {
      const host = openHost(timeout);
      return Promise.resolve({
        place: { kernel: Deno.osRelease(), backend: host.facts.backend },
        async *results() {
          for (const { case: definition } of cases) {
            progress.case(definition.id);
            yield await host.run(definition);
          }
        },
        [Symbol.asyncDispose]: () => Promise.resolve(host[Symbol.dispose]()),
      });
    },
  };
}

function openHost(timeout: number | undefined): LocalHost {
  try {
    return LocalHost.open({ timeout });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}
