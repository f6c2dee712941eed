/**
 * Thrown when a lab cannot be built, booted or finished; the message says what is the matter and
 * what to do. Nothing that was judged before is lost.
 */
export class LabError extends Error {
  /** The class's name. */
  override readonly name = "LabError";
  /** Whether it is what was asked for that is wrong, and not what there is. */
  readonly usage: boolean;

  /**
   * Says what is the matter.
   *
   * @param message what it is, and what to do
   */
  constructor(message: string, { usage = false }: { usage?: boolean } = {}) {
    super(message);
    this.usage = usage;
  }
}

/** What an operation of the file system failed with, without Deno's own suffix. */
export function systemReason(error: unknown): string {
  const { message } = error as Error;
  return message.replace(/ \(os error \d+\).*$/s, "");
}
