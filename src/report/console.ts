/** The run for people: a live line on a terminal, then failures, skips and a summary. */
import { isFailure, type KnownFailure, type Standing } from "../suite/baseline.ts";
import type { CaseResult } from "../suite/verdict.ts";
import { formatFailure } from "./failure.ts";
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

/** A result with what the baseline says of it. */
export interface Reported {
  readonly result: CaseResult;
  readonly standing: Standing;
  readonly known?: KnownFailure;
  /** The file that defines the case. */
  readonly file: string;
}

/** How much a report tells. */
export interface ConsoleReportOptions {
  /** Leave out known failures and skips, but for their counts; default false. */
  readonly onlyUnexpected?: boolean;
}

/** How often the live line is drawn anew, in milliseconds. */
const LIVE_INTERVAL = 50;

/** Reports a run while it goes on and when it has ended. */
export class ConsoleReport {
  readonly #output: Output;
  readonly #style: Style;
  readonly #onlyUnexpected: boolean;
  readonly #all: Reported[] = [];
  readonly #started = performance.now();
  #drawn = 0;

  /**
   * Starts the time.
   *
   * @param total how many cases will run
   */
  constructor(output: Output, readonly total: number, options: ConsoleReportOptions = {}) {
    this.#output = output;
    this.#style = output.color ? colorStyle : plainStyle;
    this.#onlyUnexpected = options.onlyUnexpected ?? false;
  }

  /** A case begins. */
  begin(id: string): void {
    const now = performance.now();
    if (!this.#output.isTerminal || now - this.#drawn < LIVE_INTERVAL) return;
    this.#drawn = now;
    const line = `${this.#all.length}/${this.total} ${id}`;
    this.#output.write(`\r\x1b[K${line.slice(0, this.#output.columns - 1)}`);
  }

  /** A case has ended. */
  end(reported: Reported): void {
    this.#all.push(reported);
  }

  /** Writes failures, known failures, stale entries, skips and the summary. */
  finish(): void {
    if (this.#output.isTerminal) this.#output.write("\r\x1b[K");
    // Several machines judge in an order of chance.
    this.#all.sort((a, b) => a.result.case.id < b.result.case.id ? -1 : 1);
    const sections = [
      ...this.#standing("regression").map((reported) => this.#failure(reported)),
      this.#onlyUnexpected ? "" : this.#knownFailures(),
      this.#staleEntries(),
      this.#onlyUnexpected ? "" : this.#skips(),
      this.#summary(),
    ];
    this.#output.write(sections.filter((section) => section !== "").join("\n\n") + "\n");
  }

  #failure({ result, file, known }: Reported): string {
    const text = formatFailure(result, this.#style, file);
    if (known === undefined) return text;
    return `${text}\n    the baseline knows it as ${known.verdict}: ${known.reason}`;
  }

  #standing(standing: Standing): Reported[] {
    return this.#all.filter((reported) => reported.standing === standing);
  }

  #knownFailures(): string {
    const known = this.#standing("known");
    if (known.length === 0) return "";
    return grouped(
      `${known.length} known failures of this host, by reason:`,
      known.map(({ result, known }) => [known!.reason, result.case.id]),
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

  #summary(): string {
    const count = (test: (reported: Reported) => boolean) => this.#all.filter(test).length;
    const passed = count(({ result }) => result.verdict === "pass");
    const failed = count(({ standing }) => standing === "regression");
    const known = count(({ standing }) => standing === "known");
    const stale = count(({ standing }) => standing === "stale");
    const skipped = count(({ result }) => result.verdict === "skip");
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(2);
    const parts = [`${passed} passed`, `${failed} failed`, `${skipped} skipped`];
    if (known > 0) parts.push(`${known} known to fail`);
    if (stale > 0) parts.push(`${stale} stale in the baseline`);
    const text = `${parts.join(", ")} (${seconds} s)`;
    return failed + stale > 0 ? this.#style.bad(text) : this.#style.good(text);
  }
}

/** How many ids of a group are shown. */
const SHOWN = 6;

function grouped(head: string, pairs: readonly (readonly [reason: string, id: string])[]): string {
  const groups = new Map<string, string[]>();
  for (const [reason, id] of pairs) groups.set(reason, [...groups.get(reason) ?? [], id]);
  const lines = [...groups].flatMap(([reason, ids]) => {
    const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : "";
    return [`    ${reason}`, `        ${ids.slice(0, SHOWN).join(", ")}${more}`];
  });
  return [head, ...lines].join("\n");
}

/** Whether a run ended as it should: 0; or not: 1; or judged nothing: 3. */
export function exitCode(all: readonly Reported[]): number {
  const judged = all.some(({ result }) => result.verdict === "pass" || isFailure(result.verdict));
  if (!judged) return 3;
  return all.some(({ standing }) => standing === "regression" || standing === "stale") ? 1 : 0;
}
