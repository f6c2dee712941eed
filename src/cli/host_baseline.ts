import { type Baseline, BaselineError, parseBaseline } from "../suite/baseline.ts";
import type { LensName } from "../suite/lens.ts";
import type { HostFacts } from "../suite/requirement.ts";

const folder = new URL("../../ci/baselines/", import.meta.url);

/** The baseline files of a host, the most specific first: backend and kernel series, backend. */
function candidates({ backend }: HostFacts, lens?: LensName): URL[] {
  const series = Deno.osRelease().split(".").slice(0, 2).join(".");
  const end = lens === undefined ? ".json" : `-${lens}.json`;
  return [`${backend}-${series}${end}`, `${backend}${end}`].map((name) => new URL(name, folder));
}

function firstOf(files: readonly URL[]): Baseline {
  const found = files.find((url) => exists(url));
  return found === undefined ? new Map() : readBaseline(found);
}

/**
 * The known failures of this host, from the project's baselines; none where there is no file for
 * its backend. Under a lens, what fails without it is known too.
 *
 * @throws {BaselineError} when the file cannot be read or is malformed.
 */
export function hostBaseline(facts: HostFacts, lens?: LensName): Baseline {
  const known = firstOf(candidates(facts));
  return lens === undefined ? known : new Map([...known, ...firstOf(candidates(facts, lens))]);
}

/**
 * The known failures that a file lists.
 *
 * @throws {BaselineError} when the file cannot be read or is malformed.
 */
export function readBaseline(file: URL): Baseline {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    throw new BaselineError(`the baseline cannot be read: ${(error as Error).message}`);
  }
  return parseBaseline(file.pathname.split("/").at(-1)!, text);
}

function exists(file: URL): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}
