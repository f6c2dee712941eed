/** The files that a command writes a run to, and GitHub's pages where it runs there. */
import { GitHubReport } from "../report/github.ts";
import type { RunHeader } from "../report/json_lines.ts";
import { JsonLinesReport } from "../report/json_lines_report.ts";
import { JUnitReport } from "../report/junit.ts";
import type { Output } from "../report/console.ts";
import type { Problem, Report, Reported } from "../report/report.ts";
import { TapReport } from "../report/tap.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";

/** The options that name files. */
export const outputOptions = ["json", "junit", "tap"] as const;

/** What `--help` says of them. */
export const outputHelp = `
  --json FILE        write the run as JSON lines, each case as soon as it is judged
  --junit FILE       write it as JUnit XML when it has ended, with the reasons of skips
  --tap FILE         write it as TAP 13, each case as soon as it is judged`.slice(1);

/**
 * The reports that go to files. One that cannot be written any more is left as it is, and the run
 * goes on: its verdicts reach the others.
 */
export class OutputFiles implements Report, Disposable {
  readonly #files: OutputFile[] = [];
  readonly #reports: Report[] = [];

  /**
   * Opens the files that the options name; on GitHub Actions, annotations and the step's summary
   * are written too.
   *
   * @throws {CommandError} when a file cannot be opened.
   */
  constructor(args: Arguments, terminal: Output) {
    try {
      this.#add(args, "json", (write) => new JsonLinesReport(write));
      this.#add(args, "junit", (write) => new JUnitReport(write));
      this.#add(args, "tap", (write) => new TapReport(write));
      if (Deno.env.get("GITHUB_ACTIONS") === "true") this.#addGitHub(terminal);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #add(
    args: Arguments,
    option: typeof outputOptions[number],
    make: (write: (text: string) => void) => Report,
  ): void {
    const path = args.value(option);
    if (path === undefined) return;
    const file = this.#open(`--${option} ${path}`, path, { truncate: true });
    this.#reports.push(make((text) => file.write(text)));
  }

  #addGitHub(terminal: Output): void {
    const path = Deno.env.get("GITHUB_STEP_SUMMARY");
    const file = path && this.#open(`GITHUB_STEP_SUMMARY ${path}`, path, { append: true });
    this.#reports.push(
      new GitHubReport({
        command: (text) => terminal.write(text),
        summary: file ? (text) => file.write(text) : undefined,
        lineOf,
      }),
    );
  }

  #open(name: string, path: string, options: Deno.OpenOptions): OutputFile {
    const file = new OutputFile(name, path, options);
    this.#files.push(file);
    return file;
  }

  /** A run begins. */
  begin(header: RunHeader): void {
    for (const report of this.#reports) report.begin(header);
  }

  /** A case was judged. */
  judged(reported: Reported): void {
    for (const report of this.#reports) report.judged(reported);
  }

  /** Something else happened. */
  problem(problem: Problem): void {
    for (const report of this.#reports) report.problem(problem);
  }

  /** All runs have ended. */
  finish(): void {
    for (const report of this.#reports) report.finish();
  }

  /**
   * Ends a command whose files are not whole: they were asked for, so nothing is as expected.
   *
   * @param code the exit code of the run itself
   * @throws {CommandError} when a file could not be written.
   */
  check(code: number): void {
    const failures = this.#files.flatMap(({ failure }) => failure ?? []);
    if (failures.length === 0) return;
    throw new CommandError(
      failures.join("\n"),
      code === exitCodes.expected ? exitCodes.nothing : code,
    );
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const file of this.#files) file.close();
  }
}

/** A file that takes text until it cannot. */
class OutputFile {
  readonly #file: Deno.FsFile;
  /** Why it takes no more, in a sentence. */
  failure: string | undefined;

  constructor(readonly name: string, path: string, options: Deno.OpenOptions) {
    try {
      this.#file = Deno.openSync(path, { write: true, create: true, ...options });
    } catch (error) {
      throw new CommandError(`${name}: ${(error as Error).message}`, exitCodes.nothing);
    }
  }

  write(text: string): void {
    if (this.failure !== undefined) return;
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (error) {
      this.failure = `${this.name}: ${(error as Error).message}; it holds what came before`;
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** The line where a file names a case, from 1: a table's variations are rows below it. */
function lineOf(file: string, id: string): number {
  const root = new URL("../../", import.meta.url);
  try {
    const lines = Deno.readTextFileSync(file.startsWith("/") ? fileUrl(file) : new URL(file, root))
      .split("\n");
    const named = lines.findIndex((line) => line.includes(`"${id.replace(/~.*/, "")}`));
    return named + 1 || 1;
  } catch {
    return 1;
  }
}
