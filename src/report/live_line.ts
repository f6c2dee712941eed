import type { Output } from "./console.ts";

/** How often the line is drawn anew, in milliseconds. */
const INTERVAL = 50;

/** The last line of a terminal, which says what goes on; elsewhere there is none. */
export class LiveLine {
  readonly #output: Output;
  #drawn = 0;

  /** @param output where it is drawn, if that is a terminal */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Shows a text, cut to the terminal's columns; one that follows too soon is left out. */
  show(text: string): void {
    const now = performance.now();
    if (!this.#output.isTerminal || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    this.#output.write(`\r\x1b[K${text.slice(0, this.#output.columns - 1)}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#output.isTerminal) this.#output.write("\r\x1b[K");
    this.#drawn = 0;
  }
}
