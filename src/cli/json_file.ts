import { formatRecord, type RunRecord } from "../report/json_lines.ts";
import { CommandError, exitCodes } from "./exit.ts";

/** The file of a run, or nothing. */
export interface JsonLines extends Disposable {
  write(record: RunRecord): void;
}

/**
 * Opens the file that `--json` names; without one, nothing is written anywhere.
 *
 * @throws {CommandError} when it cannot be opened; writing throws it when that fails.
 */
export function openJson(path: string | undefined): JsonLines {
  if (path === undefined) return { write: () => {}, [Symbol.dispose]: () => {} };
  const failed = (error: unknown) =>
    new CommandError(`--json ${path}: ${(error as Error).message}`, exitCodes.nothing);
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true, create: true, truncate: true });
  } catch (error) {
    throw failed(error);
  }
  return {
    write(record) {
      const bytes = new TextEncoder().encode(`${formatRecord(record)}\n`);
      try {
        for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      } catch (error) {
        throw failed(error);
      }
    },
    [Symbol.dispose]: () => file.close(),
  };
}
