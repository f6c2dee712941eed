/** `gate --update`: baselines brought up to date, with a reason for each new failure. */
import type { Output } from "../report/console.ts";
import type { Reported } from "../report/report.ts";
import { type Baseline, BaselineError, type KnownFailure } from "../suite/baseline.ts";
import { type BaselineUpdate, formatBaseline, updateBaseline } from "../suite/baseline_update.ts";
import type { Arguments } from "./arguments.ts";
import { readBaseline } from "./baselines.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";
import type { GateRun } from "./gate_runs.ts";
import { replaceFile } from "./replace_file.ts";
import type { Selection } from "./selection.ts";

interface Pending {
  readonly target: URL;
  readonly update: BaselineUpdate;
  readonly judged: readonly Reported[];
}

/**
 * Writes the baselines of the runs anew. Nothing is written while a new failure lacks a reason.
 *
 * @throws {CommandError} when a reason is missing, or a file cannot be read or written.
 */
export function updateFiles(
  options: Arguments,
  { suite }: Selection,
  runs: readonly GateRun[],
  output: Output,
): void {
  const pending = runs.map(({ found: { baseline, target }, judged }): Pending => {
    const verdicts = new Map(judged.map(({ result }) => [result.case.id, result.verdict]));
    return { target, judged, update: updateBaseline(baseline, verdicts, (id) => suite.has(id)) };
  });
  const reasons = new Reasons(options);
  const baselines = pending.map((entry) => complete(entry, reasons));
  reasons.check();
  for (const [index, { target, update: { kept, added, removed } }] of pending.entries()) {
    replaceFile(target, formatBaseline(baselines[index]));
    const name = target.pathname.split("/").at(-1);
    output.write(`${name}: ${kept.size} kept, ${added.size} added, ${removed.length} removed\n`);
  }
}

function complete({ update, judged, target }: Pending, reasons: Reasons): Baseline {
  const since = new Date().toISOString().slice(0, 10);
  const entries = [...update.added].map(([id, verdict]): [string, KnownFailure] => {
    const { result } = judged.find(({ result }) => result.case.id === id)!;
    const where = decodeURIComponent(target.pathname.split("/").at(-1)!);
    const reason = reasons.of(id, verdict, `${where}: ${verdict} ${id}: ${result.reason ?? ""}`);
    return [id, { verdict, reason, since }];
  });
  return new Map([...update.kept, ...entries]);
}

/** Where the reasons of new failures come from. */
class Reasons {
  readonly #given: string | undefined;
  readonly #others: Baseline;
  readonly #missing: string[] = [];
  #last: string | undefined;

  constructor(options: Arguments) {
    this.#given = options.value("reason")?.trim();
    if (this.#given === "") throw options.usage("--reason is blank");
    this.#others = readOthers(options.value("reasons"));
  }

  /** The reason of a failure; empty where there is none, which {@link check} then says. */
  of(id: string, verdict: string, question: string): string {
    const other = this.#others.get(id);
    if (other?.verdict === verdict) return other.reason;
    if (this.#given !== undefined) return this.#given;
    const reason = this.#ask(question.split("\n")[0]);
    if (reason === undefined) this.#missing.push(question.split("\n")[0]);
    return reason ?? "";
  }

  #ask(question: string): string | undefined {
    if (!Deno.stdin.isTerminal()) return;
    const again = this.#last === undefined ? "" : " (empty: as the one before)";
    const answer = prompt(`${question}\n  why${again}?`)?.trim();
    return this.#last = answer || this.#last;
  }

  /** @throws {CommandError} when a failure has no reason. */
  check(): void {
    if (this.#missing.length === 0) return;
    throw new CommandError(
      [
        `no baseline was written: ${this.#missing.length} new failures want a reason (--reason)`,
        ...this.#missing.map((line) => `    ${line}`),
      ].join("\n"),
      exitCodes.usage,
    );
  }
}

function readOthers(path: string | undefined): Baseline {
  if (path === undefined) return new Map();
  try {
    return readBaseline(fileUrl(path));
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    throw new CommandError(`--reasons ${path}: ${error.message}`, exitCodes.nothing);
  }
}
