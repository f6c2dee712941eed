/** Which cases a command takes: the suite, patterns, a shard. */
import {
  type CatalogueEntry,
  CatalogueError,
  loadCatalogue,
  selectCases,
} from "../suite/catalogue.ts";
import { parseWeights, type Shard, shardOf, type Weights, WeightsError } from "../suite/shard.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";

/** The options that choose cases. */
export const selectionOptions = ["guests", "shard", "durations"] as const;

/** What `--help` says of them. */
export const selectionHelp = `
  --shard I/N        one of N parts that take about as long each; I counts from 1
  --durations FILE   how long cases take, for even shards (default: ci/durations.json)
  --guests FOLDER    another folder of cases`.slice(1);

const durations = new URL("../../ci/durations.json", import.meta.url);

const suite = new URL("../../guests/", import.meta.url);

/** More shards than anyone has machines. */
const SHARDS = 10_000;

/** The cases of a command. */
export interface Selection {
  /** The whole suite, by id. */
  readonly suite: ReadonlyMap<string, CatalogueEntry>;
  /** What is to be judged. */
  readonly chosen: readonly CatalogueEntry[];
  /** Which part that is, where it is one: `2/4`. */
  readonly shard?: string;
}

/**
 * Loads the suite and chooses from it.
 *
 * @throws {CommandError} when it cannot be loaded, no case matches, or there is no such shard.
 */
export async function selectFrom(
  args: Arguments,
  patterns: readonly string[] = args.words,
): Promise<Selection> {
  const shard = readShard(args);
  const entries = await loadSuite(args);
  const chosen = selectCases(entries, patterns);
  if (chosen.length === 0) {
    throw new CommandError(
      `no case matches ${patterns.join(" ")}: deno task conform --list prints them all`,
      exitCodes.usage,
    );
  }
  return {
    suite: new Map(entries.map((entry) => [entry.case.id, entry])),
    chosen: shard === undefined
      ? chosen
      : shardOf(chosen, ({ case: { id } }) => id, shard, readDurations(args)),
    shard: shard && `${shard.index}/${shard.count}`,
  };
}

/** The folder of cases. */
export function guestsFolder(args: Arguments): URL {
  const path = args.value("guests");
  return path === undefined ? suite : fileUrl(`${path.replace(/\/*$/, "")}/`);
}

/**
 * Loads the suite.
 *
 * @throws {CommandError} when it cannot be loaded.
 */
export async function loadSuite(args: Arguments): Promise<CatalogueEntry[]> {
  try {
    return await loadCatalogue(guestsFolder(args));
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}

/** The file that says how long cases take. */
export function durationsFile(args: Arguments): URL {
  const path = args.value("durations");
  return path === undefined ? durations : fileUrl(path);
}

function readShard(args: Arguments): Shard | undefined {
  const text = args.value("shard");
  if (text === undefined) return;
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (index >= 1 && index <= count && count <= SHARDS) return { index, count };
  throw args.usage(`--shard ${text} is not a part as 1/4 or 4/4`);
}

/**
 * How long cases take, as recorded; nothing where there is no record.
 *
 * @param isRequired whether there has to be one: by default where the command line names it
 * @throws {CommandError} when the record is damaged.
 */
export function readDurations(
  args: Arguments,
  isRequired = args.value("durations") !== undefined,
): Weights {
  const file = durationsFile(args);
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && !isRequired) return new Map();
    throw new CommandError(
      `the durations cannot be read: ${(error as Error).message}`,
      exitCodes.nothing,
    );
  }
  try {
    return parseWeights(file.pathname.split("/").at(-1)!, text);
  } catch (error) {
    if (!(error instanceof WeightsError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}
