/** The run as TAP 13, a line as soon as a case is judged. */
import { complaint, type Problem, type Report, type Reported, runName } from "./report.ts";
import type { RunHeader } from "./json_lines.ts";

/** Writes runs in the Test Anything Protocol; the plan comes last, since runs may follow runs. */
export class TapReport implements Report {
  readonly #write: (text: string) => void;
  #run = "";
  #count = 0;

  /** @param write takes whole lines */
  constructor(write: (text: string) => void) {
    this.#write = write;
    write("TAP version 13\n");
  }

  /** A run begins: its name stands before the ids. */
  begin(header: RunHeader): void {
    this.#run = runName(header);
  }

  /** A known failure is a TODO with the baseline's reason, a skip a SKIP with what is missing. */
  judged(reported: Reported): void {
    const { result: { case: { id }, verdict, reason = "" }, standing, known } = reported;
    const name = `${this.#run} ${id}`;
    const text = complaint(reported);
    if (text !== undefined) this.#point(false, name, "", text);
    else if (standing === "known") this.#point(false, name, ` # TODO ${known?.reason ?? reason}`);
    else this.#point(true, name, verdict === "skip" ? ` # SKIP ${reason}` : "");
  }

  /** A problem fails, or is skipped when it is tolerated. */
  problem({ name, message, tolerated }: Problem): void {
    if (tolerated) this.#point(true, name, ` # SKIP ${message}`);
    else this.#point(false, name, "", message);
  }

  /** Writes the plan. */
  finish(): void {
    this.#write(`1..${this.#count}\n`);
  }

  #point(ok: boolean, name: string, directive: string, diagnostic?: string): void {
    const point = `${ok ? "ok" : "not ok"} ${++this.#count} - ${
      oneLine(name).replaceAll("#", "\\#")
    }${oneLine(directive)}`;
    const lines = diagnostic === undefined
      ? []
      : ["  ---", "  message: |-", ...diagnostic.split("\n").map(indent), "  ..."];
    this.#write(`${[point, ...lines].join("\n")}\n`);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}

function indent(line: string): string {
  return line === "" ? "" : `    ${line}`;
}
