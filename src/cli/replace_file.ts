import { CommandError, exitCodes } from "./exit.ts";

/**
 * Puts a text in the place of a file, whole or not at all.
 *
 * @throws {CommandError} when it cannot be written; the file is then as it was.
 */
export function replaceFile(file: URL, text: string): void {
  const temporary = new URL(`${file.href}.new`);
  try {
    Deno.writeTextFileSync(temporary, text);
    Deno.renameSync(temporary, file);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch {
      // It was never there.
    }
    throw new CommandError(
      `${decodeURIComponent(file.pathname)} cannot be written: ${(error as Error).message}`,
      exitCodes.nothing,
    );
  }
}
