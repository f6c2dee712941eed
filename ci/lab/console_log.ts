/** How much of a console is kept at least, in characters. */
const KEPT = 65536;
/** How many lines are shown where it is not known since when they matter. */
const TAIL = 80;

/** What a kernel has said on its console, and since when. */
export class ConsoleLog {
  readonly #decoder = new TextDecoder();
  #text = "";
  #dropped = 0;

  /** Takes what comes next. */
  push(bytes: Uint8Array<ArrayBuffer>): void {
    this.#text += this.#decoder.decode(bytes, { stream: true }).replaceAll("\r", "");
    if (this.#text.length < 2 * KEPT) return;
    const dropped = this.#text.length - KEPT;
    this.#text = this.#text.slice(dropped);
    this.#dropped += dropped;
  }

  /** Where the next character will stand. */
  get end(): number {
    return this.#dropped + this.#text.length;
  }

  /** What was said from a place on; the last lines where that is nothing. */
  since(place: number): string {
    const text = this.#text.slice(Math.max(0, place - this.#dropped)).trim();
    return text !== "" ? text : this.#text.trim().split("\n").slice(-TAIL).join("\n");
  }
}
