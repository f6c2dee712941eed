import type { Stage } from "../../ci/lab/channel.ts";
import type { Output } from "../report/console.ts";

const stages: Readonly<Record<Stage, string>> = {
  init: "the kernel runs, loading the modules",
  modules: "the modules are loaded, starting the suite",
};

/** How far a lab is, on one line of a terminal; a pipe hears nothing of it. */
export class LabProgress {
  readonly #output: Output;

  /** @param output where the line is drawn */
  constructor(output: Output) {
    this.#output = output;
  }

  /** What is being done now. */
  step(text: string): void {
    if (!this.#output.isTerminal) return;
    this.#output.write(`\r\x1b[K${text.slice(0, this.#output.columns - 1)}`);
  }

  /** How far the boot is. */
  stage(stage: Stage): void {
    this.step(stages[stage]);
  }

  /** A line that stays. */
  note(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#output.isTerminal) this.#output.write("\r\x1b[K");
  }
}
