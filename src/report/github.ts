/** The run as GitHub Actions shows it: annotations in the log, and a summary of the step. */
import { complaint, type Problem, type Report, type Reported, runName } from "./report.ts";
import type { RunHeader } from "./json_lines.ts";

/** GitHub shows so many errors of a step, and drops the rest. */
const ANNOTATIONS = 10;
/** A step's summary may have 1 MiB; what is longer is refused as a whole. */
const SUMMARY_BYTES = 1_000_000;

/** Where the report goes, and what it may look up. */
export interface GitHubOutput {
  /** Takes workflow commands: the step's standard output. */
  readonly command: (text: string) => void;
  /** Takes the summary in Markdown, once; absent where GitHub names no file for it. */
  readonly summary?: (text: string) => void;
  /** The line of a file that an annotation of a case belongs to, from 1. */
  readonly lineOf: (file: string, id: string) => number;
}

interface Row {
  readonly run: string;
  readonly counts: Record<"passed" | "failed" | "stale" | "known" | "skipped", number>;
}

/** Collects what went wrong, and writes annotations and the summary when all runs have ended. */
export class GitHubReport implements Report {
  readonly #output: GitHubOutput;
  readonly #rows: Row[] = [];
  readonly #errors: { title: string; text: string; place: string }[] = [];
  readonly #problems: Problem[] = [];

  /** @param output where it goes */
  constructor(output: GitHubOutput) {
    this.#output = output;
  }

  /** A run begins: a row of the summary's table. */
  begin(header: RunHeader): void {
    const counts = { passed: 0, failed: 0, stale: 0, known: 0, skipped: 0 };
    this.#rows.push({ run: runName(header), counts });
  }

  /** A case is counted; a regression or a stale entry becomes an annotation. */
  judged(reported: Reported): void {
    const { result: { case: { id }, verdict }, standing, file } = reported;
    const { run, counts } = this.#rows.at(-1)!;
    counts[columnOf(reported)]++;
    const text = complaint(reported);
    if (text === undefined) return;
    const what = standing === "stale" ? "stale" : verdict;
    const place = file === undefined
      ? ""
      : `file=${property(file)},line=${this.#output.lineOf(file, id)},`;
    this.#errors.push({ title: `${run}: ${what} ${id}`, text, place });
  }

  /** A problem becomes an annotation and a line of the summary. */
  problem(problem: Problem): void {
    this.#problems.push(problem);
  }

  /** Writes everything. */
  finish(): void {
    for (const { name, message, tolerated } of this.#problems) {
      this.#annotate(tolerated ? "notice" : "error", `title=${property(name)}`, message);
    }
    const room = ANNOTATIONS - this.#problems.filter(({ tolerated }) => !tolerated).length;
    const shown = this.#errors.length > room ? Math.max(room - 1, 0) : this.#errors.length;
    for (const { title, text, place } of this.#errors.slice(0, shown)) {
      this.#annotate("error", `${place}title=${property(title)}`, text);
    }
    const more = this.#errors.length - shown;
    if (more > 0) {
      this.#annotate("error", "title=Trapline", `and ${more} more: the step's log has them all`);
    }
    this.#output.summary?.(this.#summary());
  }

  #annotate(kind: "error" | "notice", properties: string, text: string): void {
    this.#output.command(`::${kind} ${properties}::${message(text)}\n`);
  }

  #summary(): string {
    const table = [
      "| where | passed | failed | stale | known to fail | skipped |",
      "| --- | --: | --: | --: | --: | --: |",
      ...this.#rows.map(({ run, counts: { passed, failed, stale, known, skipped } }) =>
        `| ${run} | ${passed} | ${failed} | ${stale} | ${known} | ${skipped} |`
      ),
    ];
    const problems = this.#problems.map(({ name, message }) => `- **${name}**: ${inline(message)}`);
    const head = ["## Trapline", "", ...table, ""];
    if (problems.length > 0) head.push(...problems, "");
    const sections = [head.join("\n")];
    let bytes = size(sections[0]);
    for (const [index, { title, text }] of this.#errors.entries()) {
      const section = details(title, text);
      bytes += size(section);
      if (bytes > SUMMARY_BYTES) {
        sections.push(`\n${this.#errors.length - index} more: the step's log has them all\n`);
        break;
      }
      sections.push(section);
    }
    return sections.join("");
  }
}

function columnOf({ result: { verdict }, standing }: Reported): keyof Row["counts"] {
  if (standing === "stale" || standing === "known") return standing;
  if (standing === "regression") return "failed";
  return verdict === "skip" ? "skipped" : "passed";
}

/** A failure that unfolds; the fence is longer than any run of backticks in it. */
function details(title: string, text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `\n<details><summary>${
    html(title)
  }</summary>\n\n${fence}text\n${text}\n${fence}\n\n</details>\n`;
}

function html(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function inline(text: string): string {
  return html(text).replaceAll("\n", " ");
}

/** The data of a workflow command. */
function message(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** A property of a workflow command. */
function property(text: string): string {
  return message(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

function size(text: string): number {
  return new TextEncoder().encode(text).length;
}
