/**
 * Thrown when a lab cannot be built, booted or finished; the message says what is the matter and
 * what to do. Nothing that was judged before is lost.
 */
export class LabError extends Error {
  /** The class's name. */
  override readonly name = "LabError";
}

/** What an operation of the file system failed with, without Deno's own suffix. */
export function systemReason(error: unknown): string {
  const { message } = error as Error;
  return message.replace(/ \(os error \d+\).*$/s, "");
}
