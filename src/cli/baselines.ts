import { type Place, runName, series } from "../report/report.ts";
import { type Baseline, BaselineError, parseBaseline } from "../suite/baseline.ts";
import type { HostFacts } from "../suite/requirement.ts";
import { hostPlace } from "./host_place.ts";

/** The folder of the project's baselines. */
export const baselineFolder: URL = new URL("../../ci/baselines/", import.meta.url);

/** The baseline of a run. */
export interface FoundBaseline {
  /** What is known to fail. */
  readonly baseline: Baseline;
  /** The file it was read from; absent where there is none. */
  readonly file?: URL;
  /** The file that the run's baseline belongs in. */
  readonly target: URL;
}

/**
 * Finds the baseline of a run: the one of its backend, kernel series and parameters; the one of its
 * backend and parameters for any series; or the one of the nearest older series, else of the nearest
 * newer one. Where there is none, nothing is known to fail; but under a lens that has none of its own,
 * what is known without it.
 *
 * @throws {BaselineError} when the file cannot be read or is malformed.
 */
export function findBaseline(place: Place, folder: URL = baselineFolder): FoundBaseline {
  const found = findFile(place, folder);
  if (place.lens === undefined || found.file !== undefined) return found;
  return { ...findFile({ ...place, lens: undefined }, folder), target: found.target };
}

function findFile(place: Place, folder: URL): FoundBaseline {
  const name = runName(place);
  const [before, after] = splitAtSeries(name, series(place.kernel));
  const exact = new URL(`${name}.json`, folder);
  const any = new URL(`${before}${after}.json`, folder);
  for (const file of [exact, any]) {
    if (exists(file)) return { baseline: readBaseline(file), file, target: file };
  }
  const nearest = nearestSeries(folder, before, after, series(place.kernel));
  if (nearest === undefined) return { baseline: new Map(), target: exact };
  const file = new URL(`${before}-${nearest}${after}.json`, folder);
  return { baseline: readBaseline(file), file, target: exact };
}

/** What stands around the series in a run's name. */
function splitAtSeries(name: string, series: string): [before: string, after: string] {
  const at = name.indexOf(`-${series}`);
  return [name.slice(0, at), name.slice(at + 1 + series.length)];
}

function nearestSeries(
  folder: URL,
  before: string,
  after: string,
  wanted: string,
): string | undefined {
  const found = listFiles(folder).flatMap((file) => {
    if (!file.startsWith(`${before}-`) || !file.endsWith(`${after}.json`)) return [];
    const middle = file.slice(before.length + 1, -`${after}.json`.length);
    return /^\d+\.\d+$/.test(middle) ? [middle] : [];
  }).toSorted((a, b) => ordinal(a) - ordinal(b));
  return found.findLast((series) => ordinal(series) < ordinal(wanted)) ?? found[0];
}

/** A number that orders series: 6.1 is older than 6.12. */
function ordinal(series: string): number {
  const [major, minor] = series.split(".").map(Number);
  return major * 1000 + minor;
}

function listFiles(folder: URL): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    throw new BaselineError(`the baselines cannot be read: ${(error as Error).message}`);
  }
}

/**
 * The known failures of this host, from the project's baselines.
 *
 * @throws {BaselineError} when the file cannot be read or is malformed.
 */
export function hostBaseline(facts: HostFacts): Baseline {
  return findBaseline(hostPlace(facts)).baseline;
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
