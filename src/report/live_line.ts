import type { Output } from "./console.ts";

/** How often what changes all the time is drawn anew, in milliseconds. */
const INTERVAL = 50;

/** The last line of a terminal, which says what goes on; elsewhere there is none. */
export class LiveLine {
  readonly #output: Output;
  #drawn = 0;

  /** @param output where it is drawn, if that is a terminal */
  constructor(output: Output) {
    this.#output = output;
  }

  /** Shows a text, cut to the terminal's columns. */
  show(text: string): void {
    if (!this.#output.isTerminal) return;
    this.#drawn = performance.now();
    this.#output.write(`\r\x1b[K${text.slice(0, this.#output.columns - 1)}`);
  }

  /** Shows a text, unless the last one has hardly been there. */
  showBriefly(text: string): void {
    if (performance.now() - this.#drawn >= INTERVAL) this.show(text);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#output.isTerminal) this.#output.write("\r\x1b[K");
    this.#drawn = 0;
  }
}
