/** The run for people: a live line on a terminal, then failures, skips and a summary. */
import type { Standing } from "../suite/baseline.ts";
import { LiveLine } from "./live_line.ts";
import { formatReported, type Reported } from "./report.ts";
import { colorStyle, plainStyle, type Style } from "./style.ts";

/** Where the report goes. */
export interface Output {
  write(text: string): void;
  /** Whether it is a terminal: it gets a live line. */
  readonly isTerminal: boolean;
  /** Columns of the terminal. */
  readonly columns: number;
  readonly color: boolean;
}

/** How much a report tells. */
export interface ConsoleReportOptions {
  /** Leave out known failures and skips, but for their counts; default false. */
  readonly onlyUnexpected?: boolean;
}

/** Reports a run while it goes on and when it has ended. */
export class ConsoleReport {
  readonly #output: Output;
  readonly #live: LiveLine;
  readonly #style: Style;
  readonly #onlyUnexpected: boolean;
  readonly #all: Reported[] = [];
  readonly #started = performance.now();

  /**
   * Starts the time.
   *
   * @param total how many cases will run
   */
  constructor(output: Output, readonly total: number, options: ConsoleReportOptions = {}) {
    this.#output = output;
    this.#live = new LiveLine(output);
    this.#style = output.color ? colorStyle : plainStyle;
    this.#onlyUnexpected = options.onlyUnexpected ?? false;
  }

  /** A case begins. */
  begin(id: string): void {
    this.#live.showBriefly(`${this.#all.length}/${this.total} ${id}`);
  }

  /** A case has ended. */
  end(reported: Reported): void {
    this.#all.push(reported);
  }

  /** Says at once of a regression that it did not come again. */
  tolerated(message: string): void {
    this.#live.clear();
    this.#output.write(`tolerated: ${message}\n`);
  }

  /**
   * Writes failures, known failures, stale entries, skips and the summary.
   *
   * @param milliseconds that the cases took, where that is not the time since the report began
   */
  finish(milliseconds: number = performance.now() - this.#started): void {
    this.#live.clear();
    // Several machines judge in an order of chance.
    this.#all.sort((a, b) => a.result.case.id < b.result.case.id ? -1 : 1);
    const sections = [
      ...this.#standing("regression").map((reported) => formatReported(reported, this.#style)),
      this.#onlyUnexpected ? "" : this.#knownFailures(),
      this.#staleEntries(),
      this.#onlyUnexpected ? "" : this.#skips(),
      this.#summary(milliseconds),
    ];
    this.#output.write(sections.filter((section) => section !== "").join("\n\n") + "\n");
  }

  #standing(standing: Standing): Reported[] {
    return this.#all.filter((reported) => reported.standing === standing);
  }

  #knownFailures(): string {
    const known = this.#standing("known");
    if (known.length === 0) return "";
    return grouped(
      `${known.length} known failures of this host, by reason:`,
      known.map(({ result, known }) => [known?.reason ?? "", result.case.id]),
    );
  }

  #staleEntries(): string {
    const stale = this.#standing("stale").map(({ result }) => `    ${result.case.id}`);
    if (stale.length === 0) return "";
    const head = `${this.#style.bad("STALE")} these pass, but the baseline lists them as failures:`;
    return [head, ...stale].join("\n");
  }

  #skips(): string {
    const skipped = this.#all.filter(({ result }) => result.verdict === "skip");
    if (skipped.length === 0) return "";
    return grouped(
      `${skipped.length} skipped, by what is missing:`,
      skipped.map(({ result }) => [result.reason ?? "", result.case.id]),
    );
  }

  #summary(milliseconds: number): string {
    const count = (test: (reported: Reported) => boolean) => this.#all.filter(test).length;
    const passed = count(({ result }) => result.verdict === "pass");
    const failed = count(({ standing }) => standing === "regression");
    const known = count(({ standing }) => standing === "known");
    const stale = count(({ standing }) => standing === "stale");
    const skipped = count(({ result }) => result.verdict === "skip");
    const seconds = (milliseconds / 1000).toFixed(2);
    const parts = [`${passed} passed`, `${failed} failed`, `${skipped} skipped`];
    if (known > 0) parts.push(`${known} known to fail`);
    if (stale > 0) parts.push(`${stale} stale in the baseline`);
    const text = `${parts.join(", ")} (${seconds} s)`;
    return failed + stale > 0 ? this.#style.bad(text) : this.#style.good(text);
  }
}

/** How many ids of a group are shown. */
const SHOWN = 6;

/** Ids below the reason that they share. */
export function grouped(
  head: string,
  pairs: readonly (readonly [reason: string, id: string])[],
): string {
  const groups = new Map<string, string[]>();
  for (const [reason, id] of pairs) groups.set(reason, [...groups.get(reason) ?? [], id]);
  const lines = [...groups].flatMap(([reason, ids]) => {
    const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : "";
    return [`    ${reason}`, `        ${ids.slice(0, SHOWN).join(", ")}${more}`];
  });
  return [head, ...lines].join("\n");
}
