import { type CaseRecord, resultOf } from "../report/json_lines.ts";
import { runName } from "../report/report.ts";
import { parseRunFile, type RecordedRun, type RunFile, RunFileError } from "../report/run_file.ts";
import type { Backend } from "./backend.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";

/**
 * Reads a file of JSON lines.
 *
 * @throws {CommandError} when it cannot be read or is malformed.
 */
export function readRunFile(path: string): RunFile {
  let text: string;
  try {
    text = Deno.readTextFileSync(fileUrl(path));
  } catch (error) {
    throw new CommandError(
      `${path} cannot be read: ${(error as Error).message}`,
      exitCodes.nothing,
    );
  }
  try {
    return parseRunFile(path, text);
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}

/** A run that took place before, judged again from its record. */
export function recordedBackend({ header, cases }: RecordedRun): Backend {
  return {
    name: runName(header),
    open(chosen) {
      const recorded = chosen.flatMap((entry): [CaseRecord, typeof entry][] => {
        const record = cases.get(entry.case.id);
        return record === undefined ? [] : [[record, entry]];
      });
      return Promise.resolve({
        place: header,
        total: recorded.length,
        async *results() {
          for (const [record, entry] of recorded) yield resultOf(record, entry.case);
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      });
    },
  };
}
