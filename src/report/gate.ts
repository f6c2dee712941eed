/** The gate for people: each backend as it goes, then what changed, by area. */
import { grouped, type Output } from "./console.ts";
import type { RunHeader } from "./json_lines.ts";
import { LiveLine } from "./live_line.ts";
import { formatReported, type Problem, type Report, type Reported, runName } from "./report.ts";
import { colorStyle, plainStyle, type Style } from "./style.ts";

/** What is kept of a run for the end. */
interface Run {
  readonly name: string;
  readonly all: Reported[];
  readonly gone: string[];
  readonly started: number;
  milliseconds: number;
}

/** A log that is no terminal hears this often that it goes on, in milliseconds. */
const HEARTBEAT = 30_000;

/** Reports a gate while it goes on and when it has ended. */
export class GateReport implements Report {
  readonly #output: Output;
  readonly #style: Style;
  readonly #live: LiveLine;
  readonly #runs: Run[] = [];
  readonly #problems: Problem[] = [];
  #total = 0;
  #lastLine = performance.now();
  #lastNote = "";

  /** @param output where it goes */
  constructor(output: Output) {
    this.#output = output;
    this.#style = output.color ? colorStyle : plainStyle;
    this.#live = new LiveLine(output);
  }

  /** A backend takes its time, with nothing to judge yet. */
  note(text: string): void {
    if (this.#output.isTerminal) this.#live.show(text);
    // Machines side by side say the same.
    else if (text !== this.#lastNote) this.#line(text);
    this.#lastNote = text;
  }

  /** A case begins. */
  case(id: string): void {
    const run = this.#runs.at(-1);
    const text = `${run?.name} ${run?.all.length}/${this.#total} ${id}`;
    if (this.#output.isTerminal) this.#live.showBriefly(text);
    else if (performance.now() - this.#lastLine > HEARTBEAT) this.#line(text);
  }

  /** A run begins. */
  begin(header: RunHeader): void {
    this.#total = header.cases;
    const name = runName(header);
    this.#runs.push({ name, all: [], gone: [], started: performance.now(), milliseconds: 0 });
    const where = `Linux ${header.kernel}, ${header.cases} cases`;
    this.#line(`${this.#style.strong(name)}  ${this.#style.faint(where)}`);
  }

  /** A regression is shown at once, and nothing else. */
  judged(reported: Reported): void {
    const run = this.#runs.at(-1)!;
    run.all.push(reported);
    run.milliseconds = performance.now() - run.started;
    if (reported.standing !== "regression") return;
    this.#line(`\n${formatReported(reported, this.#style)}\n`);
  }

  /** An entry of the run's baseline names no case of the suite. */
  gone(id: string): void {
    this.#runs.at(-1)!.gone.push(id);
  }

  /** A problem is said at once, and at the end again. */
  problem(problem: Problem): void {
    this.#problems.push(problem);
    this.#line(this.#formatProblem(problem));
  }

  /** Writes skips, what changed, and a line for each run. */
  finish(): void {
    this.#live.clear();
    const sections = [this.#skips(), this.#changes(), this.#summary()];
    this.#output.write(
      sections.filter((text) => text !== "").map((text) => `\n${text}\n`).join(""),
    );
  }

  #line(text: string): void {
    this.#live.clear();
    this.#output.write(`${text}\n`);
    this.#lastLine = performance.now();
  }

  #formatProblem({ name, message, tolerated }: Problem): string {
    const text = `${name}: ${message}`;
    return tolerated ? `${text} (optional)` : this.#style.bad(text);
  }

  #skips(): string {
    const pairs = this.#runs.flatMap(({ name, all }) =>
      all.filter(({ result }) => result.verdict === "skip")
        .map(({ result }) => [`${name}: ${result.reason}`, result.case.id] as const)
    );
    return pairs.length === 0 ? "" : grouped(`${pairs.length} skipped, by what is missing:`, pairs);
  }

  #changes(): string {
    const changes = this.#runs.flatMap((run) => changesOf(run));
    if (changes.length === 0) return "";
    const areas = Map.groupBy(changes, ({ area }) => area);
    const lines = [...areas].toSorted(([a], [b]) => a < b ? -1 : 1).flatMap(([area, changes]) => [
      `    ${this.#style.strong(area)}`,
      ...changes.map(({ run, what, ids }) => `        ${run}: ${what}: ${ids.join(", ")}`),
    ]);
    return [this.#style.bad("What changed, by area:"), ...lines].join("\n");
  }

  #summary(): string {
    const runs = this.#runs.map((run) => {
      const text = summaryOf(run);
      const isBad = changesOf(run).length > 0;
      return `${run.name}  ${isBad ? this.#style.bad(text) : this.#style.good(text)}`;
    });
    return [...runs, ...this.#problems.map((problem) => this.#formatProblem(problem))].join("\n");
  }
}

interface Change {
  readonly area: string;
  readonly run: string;
  readonly what: string;
  readonly ids: readonly string[];
}

function changesOf({ name, all, gone }: Run): Change[] {
  const of = (standing: string) =>
    all.filter((reported) => reported.standing === standing).map(({ result }) => result.case.id);
  const kinds: [what: string, ids: string[]][] = [
    ["not as the baseline has it", of("regression")],
    ["listed, but passes", of("stale")],
    ["listed, but not in the suite", gone],
  ];
  return kinds.flatMap(([what, ids]) =>
    [...Map.groupBy(ids, (id) => id.split("/")[0])].map(([area, ids]) => ({
      area,
      run: name,
      what: `${ids.length} ${what}`,
      ids,
    }))
  );
}

function summaryOf({ all, gone, milliseconds }: Run): string {
  const count = (test: (reported: Reported) => boolean) => all.filter(test).length;
  const stale = count(({ standing }) => standing === "stale") + gone.length;
  const known = count(({ standing }) => standing === "known");
  const parts = [
    `${count(({ result }) => result.verdict === "pass")} passed`,
    `${count(({ standing }) => standing === "regression")} failed`,
    `${count(({ result }) => result.verdict === "skip")} skipped`,
    ...known > 0 ? [`${known} known to fail`] : [],
    ...stale > 0 ? [`${stale} stale in the baseline`] : [],
  ];
  return `${parts.join(", ")} (${(milliseconds / 1000).toFixed(2)} s)`;
}
