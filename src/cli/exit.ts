/** The exit codes of every command. */
export const exitCodes = {
  /** Everything is as expected. */
  expected: 0,
  /** A failure that no baseline lists, or a listed one that passes. */
  unexpected: 1,
  /** A wrong flag, or a pattern that matches nothing. */
  usage: 2,
  /** Nothing could be run, or nothing was judged. */
  nothing: 3,
} as const;

/** Thrown by a command to end with a sentence and an exit code. */
export class CommandError extends Error {
  /** The class's name. */
  override readonly name = "CommandError";

  /** @param message what is the matter, and what to do @param code the exit code */
  constructor(message: string, readonly code: number) {
    super(message);
  }
}
