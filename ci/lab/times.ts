import { type Cache, contentKey } from "./cache.ts";

/** How long cases took in earlier runs, in milliseconds by id. */
export type Times = ReadonlyMap<string, number>;

/** What is known of how long cases take in a kind of lab. */
export async function readTimes(cache: Cache, lab: string): Promise<Times> {
  try {
    const times = Object.entries(JSON.parse(await Deno.readTextFile(await fileOf(cache, lab))));
    return new Map(
      times.filter((entry): entry is [string, number] => typeof entry[1] === "number"),
    );
  } catch {
    // The first run, or a damaged file: nothing but speed depends on it.
    return new Map();
  }
}

/** Keeps what a run has learned, beside what is known of other cases, if that can be written. */
export async function writeTimes(cache: Cache, lab: string, measured: Times): Promise<void> {
  const times = new Map([...await readTimes(cache, lab), ...measured]);
  try {
    const path = await fileOf(cache, lab);
    const unfinished = `${path}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(unfinished, JSON.stringify(Object.fromEntries(times)));
    await Deno.rename(unfinished, path);
  } catch {
    // The verdicts are there all the same.
  }
}

async function fileOf(cache: Cache, lab: string): Promise<string> {
  return `${await cache.entry("times", await contentKey([lab]), () => {})}/times.json`;
}
