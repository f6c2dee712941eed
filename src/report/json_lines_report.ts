import { caseRecord, formatRecord, type RunHeader, type RunRecord } from "./json_lines.ts";
import type { Report, Reported } from "./report.ts";

/** The run as JSON lines, each case as soon as it is judged. */
export class JsonLinesReport implements Report {
  readonly #write: (text: string) => void;

  /** @param write takes whole lines */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** The header of a run; its cases follow. */
  begin(header: RunHeader): void {
    this.#record(header);
  }

  /** The line of a case. */
  judged({ result, standing, known }: Reported): void {
    this.#record(caseRecord(result, standing, known));
  }

  /** A problem is no part of a run: a run that did not take place has no line. */
  problem(): void {}

  /** Every line is written already. */
  finish(): void {}

  #record(record: RunRecord): void {
    this.#write(`${formatRecord(record)}\n`);
  }
}
