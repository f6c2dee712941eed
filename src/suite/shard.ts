/** A suite in parts that take about as long each. */

/** One of several parts of a run. */
export interface Shard {
  /** Which part, from 1. */
  readonly index: number;
  /** How many parts there are. */
  readonly count: number;
}

/**
 * How long cases take, as multiples of what a case takes usually, by id; 1 for those that are not
 * there. Only what is far from 1 has to be recorded, and a new case or another machine needs no
 * new record.
 */
export type Weights = ReadonlyMap<string, number>;

/** Weights below this are not worth a record. */
const NOTABLE = 4;

/** Thrown when recorded weights cannot be read; the message names the file and the entry. */
export class WeightsError extends Error {
  /** The class's name. */
  override readonly name = "WeightsError";
}

/**
 * The cases of one shard, in the order given. The shards of a run are disjoint, their union is the
 * whole, and their weights differ by no more than the heaviest case's.
 *
 * Every shard must be chosen from the same cases with the same weights.
 *
 * @throws {RangeError} when there is no such shard.
 */
export function shardOf<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  { index, count }: Shard,
  weights: Weights,
): Item[] {
  if (
    !(Number.isSafeInteger(count) && Number.isSafeInteger(index) && index >= 1 && index <= count)
  ) {
    throw new RangeError(`there is no shard ${index} of ${count}`);
  }
  const weigh = (item: Item) => weights.get(idOf(item)) ?? 1;
  // The heaviest first, each to the shard that is lightest so far.
  const ordered = [...items].sort((a, b) =>
    weigh(b) - weigh(a) || (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0)
  );
  const loads = new Float64Array(count);
  const chosen = new Set<Item>();
  for (const item of ordered) {
    const lightest = loads.indexOf(Math.min(...loads));
    loads[lightest] += weigh(item);
    if (lightest === index - 1) chosen.add(item);
  }
  return items.filter((item) => chosen.has(item));
}

/**
 * The weights that runs show: a case's time as a multiple of its run's median, the largest of all
 * runs. Cases that the runs do not have keep their weight.
 *
 * @param runs milliseconds by id, of each run
 * @param recorded what was known before
 */
export function weighRuns(
  runs: readonly ReadonlyMap<string, number>[],
  recorded: Weights,
): Weights {
  const seen = new Map<string, number>();
  for (const run of runs) {
    const middle = median([...run.values()]);
    if (middle === 0) continue;
    for (const [id, milliseconds] of run) {
      seen.set(id, Math.max(seen.get(id) ?? 0, milliseconds / middle));
    }
  }
  const weights = new Map([...recorded].filter(([id]) => !seen.has(id)));
  for (const [id, weight] of seen) {
    if (weight >= NOTABLE) weights.set(id, Math.round(weight));
  }
  return new Map([...weights].sort(([a], [b]) => a < b ? -1 : 1));
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/**
 * Reads recorded weights: a JSON object of numbers above 0 by case id.
 *
 * @throws {WeightsError} when the text is not that.
 */
export function parseWeights(name: string, text: string): Weights {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WeightsError(`durations ${name} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeightsError(`durations ${name} is not an object of case ids`);
  }
  for (const [id, weight] of Object.entries(value)) {
    if (typeof weight === "number" && weight > 0 && Number.isFinite(weight)) continue;
    throw new WeightsError(
      `durations ${name}, case ${id}: ${JSON.stringify(weight)} is not a number above 0`,
    );
  }
  return new Map(Object.entries(value as Record<string, number>));
}

/** The text of weights, as a file of them has it. */
export function formatWeights(weights: Weights): string {
  return `${JSON.stringify(Object.fromEntries(weights), null, 2)}\n`;
}
