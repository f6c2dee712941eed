/** Files of JSON lines read back: the runs they hold, as far as they go. */
import { TraceError } from "../trace/tokens.ts";
import {
  type CaseRecord,
  parseRecord,
  resultOf,
  type RunHeader,
  type RunRecord,
} from "./json_lines.ts";
import { runName } from "./report.ts";

/** A run as a file tells of it. */
export interface RecordedRun {
  /** Where it took place. */
  readonly header: RunHeader;
  /** Its cases by id; of one that is there twice, the last. */
  readonly cases: ReadonlyMap<string, CaseRecord>;
}

/** What a file of JSON lines holds. */
export interface RunFile {
  /** The runs in the order of the file. */
  readonly runs: readonly RecordedRun[];
  /** What is missing at the ends of runs, in words: a run that was killed, a disk that was full. */
  readonly gaps: readonly string[];
}

/** Thrown when a file is no record of runs; the message names the line and what is wrong. */
export class RunFileError extends Error {
  /** The class's name. */
  override readonly name = "RunFileError";
}

/**
 * Reads the text of a file of JSON lines. A last line that was cut off is dropped, and said.
 *
 * @param name of the file, for messages
 * @throws {RunFileError} when a line is malformed, or there is no run.
 */
export function parseRunFile(name: string, text: string): RunFile {
  const lines = text.split("\n");
  const gaps: string[] = [];
  const runs: { header: RunHeader; cases: Map<string, CaseRecord> }[] = [];
  for (const [index, line] of lines.entries()) {
    const where = `${name}, line ${index + 1}`;
    const isLast = index === lines.length - 1;
    if (isLast && line === "") break;
    if (isLast && !isJson(line)) {
      gaps.push(`${where}, is cut off: it was read up to there`);
      break;
    }
    const record = readRecord(where, line);
    if (record.kind === "run") runs.push({ header: record, cases: new Map() });
    else if (runs.length > 0) runs.at(-1)!.cases.set(record.id, record);
    else throw new RunFileError(`${where}: a case before the header of any run`);
  }
  if (runs.length === 0) {
    throw new RunFileError(`${name} holds no run: ${gaps[0] ?? "it is empty"}`);
  }
  for (const { header, cases } of runs) {
    if (cases.size === header.cases) continue;
    gaps.push(
      `${name}: ${runName(header)} has ${cases.size} of ${header.cases} cases, its run did not end`,
    );
  }
  return { runs, gaps };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readRecord(where: string, line: string): RunRecord {
  try {
    const record = parseRecord(line);
    if (record.kind === "case") resultOf(record);
    return record;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TraceError)) throw error;
    throw new RunFileError(`${where}: ${error.message}`);
  }
}
