/** The run as JUnit XML: a suite for each area of each run, as CI systems read it. */
import {
  formatReported,
  type Problem,
  type Report,
  type Reported,
  runName,
  STALE,
} from "./report.ts";
import type { RunHeader } from "./json_lines.ts";
import { plainStyle } from "./style.ts";

/** The suite that stands for what is no case. */
const PROBLEMS = "trapline";

/** Collects runs and writes them as JUnit XML when they have ended. */
export class JUnitReport implements Report {
  readonly #write: (text: string) => void;
  readonly #suites = new Map<string, string[]>();
  readonly #counts = new Map<string, Counts>();
  #run = "";

  /** @param write takes the whole text, once */
  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** A run begins: its suites bear its name. */
  begin(header: RunHeader): void {
    this.#run = runName(header);
  }

  /** A case becomes a test case of its area's suite. */
  judged(reported: Reported): void {
    const { id } = reported.result.case;
    const [area, name] = id.split("/");
    const suite = `${this.#run}.${area}`;
    const time = seconds(reported.result.milliseconds);
    const { content, outcome } = outcomeOf(reported);
    this.#add(suite, { name, time, outcome }, content, reported.result.milliseconds);
  }

  /** A problem becomes a test case that is in error, or that is skipped when it is tolerated. */
  problem({ name, message, tolerated }: Problem): void {
    const content = tolerated
      ? element("skipped", { message })
      : element("error", { message, type: "problem" });
    this.#add(PROBLEMS, { name, time: "0", outcome: tolerated ? "skipped" : "errors" }, content, 0);
  }

  /** Writes the text. */
  finish(): void {
    const total = { tests: 0, failures: 0, errors: 0, skipped: 0, milliseconds: 0 };
    const suites = [...this.#suites].map(([name, cases]) => {
      const counts = this.#counts.get(name)!;
      for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
      const { milliseconds, ...numbers } = counts;
      const attributes = { name, ...numbers, time: seconds(milliseconds) };
      return element("testsuite", attributes, `\n${cases.join("\n")}\n`);
    });
    const { milliseconds, skipped: _, ...numbers } = total;
    const attributes = { name: "trapline", ...numbers, time: seconds(milliseconds) };
    this.#write(
      `<?xml version="1.0" encoding="UTF-8"?>\n` +
        `${element("testsuites", attributes, `\n${suites.join("\n")}\n`)}\n`,
    );
  }

  #add(suite: string, { name, time, outcome }: TestCase, content: string, took: number): void {
    const cases = this.#suites.get(suite) ?? [];
    cases.push(element("testcase", { classname: suite, name, time }, content));
    this.#suites.set(suite, cases);
    const counts = this.#counts.get(suite) ??
      { tests: 0, failures: 0, errors: 0, skipped: 0, milliseconds: 0 };
    counts.tests++;
    counts.milliseconds += took;
    if (outcome !== undefined) counts[outcome]++;
    this.#counts.set(suite, counts);
  }
}

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  milliseconds: number;
}

interface TestCase {
  readonly name: string;
  readonly time: string;
  readonly outcome?: "failures" | "errors" | "skipped";
}

/** A regression fails or is in error; a known failure is skipped with the baseline's reason. */
function outcomeOf(
  reported: Reported,
): { readonly content: string; readonly outcome?: TestCase["outcome"] } {
  const { result: { verdict, reason = "" }, standing, known } = reported;
  if (standing === "stale") {
    return { content: element("failure", { message: STALE, type: "stale" }), outcome: "failures" };
  }
  if (standing === "known") {
    const message = `known to fail: ${known?.reason ?? reason}`;
    return { content: element("skipped", { message }), outcome: "skipped" };
  }
  if (verdict === "skip") {
    return {
      content: element("skipped", { message: reason }),
      outcome: "skipped",
    };
  }
  if (verdict === "pass") return { content: "" };
  const failed = verdict === "fail" || verdict === "timeout";
  const text = escape(formatReported(reported, plainStyle));
  const message = reason.split("\n")[0];
  return {
    content: element(failed ? "failure" : "error", { message, type: verdict }, text),
    outcome: failed ? "failures" : "errors",
  };
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content = "",
): string {
  const written = Object.entries(attributes).map(([key, value]) =>
    ` ${key}="${escape(String(value)).replaceAll("\n", "&#10;")}"`
  ).join("");
  return content === "" ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text as XML 1.0 can hold it: what it has no spelling for becomes U+FFFD. */
function escape(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"]/g, (character) => entities[character]);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
