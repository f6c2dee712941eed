/** What tests of `deno task gate` run on. */
import { gate } from "../src/cli/gate.ts";
import type { Verdict } from "../src/suite/verdict.ts";
import { Guests } from "./case_files.ts";
import { type CommandOutcome, runCommand } from "./command.ts";
import { record, runText } from "./records.ts";

/** An entry of a baseline. */
export const entry = { verdict: "fail", reason: "QEMU sets A", since: "2026-01-31" };

/** A suite of four cases, a recorded run of it, a configuration and a folder of baselines. */
export class GateFolder extends Guests {
  constructor(verdicts: Record<string, Verdict>, baseline?: Record<string, unknown>) {
    super("pass", "fail", "skip", "spin");
    const cases = Object.entries(verdicts).map(([name, verdict]) => record(`own/${name}`, verdict));
    this.write("run.jsonl", runText(cases));
    this.write("baselines/vmx-6.12.json", "{}\n");
    if (baseline !== undefined) this.baseline = baseline;
    this.config({ backends: [{ backend: "host" }] });
  }
  set baseline(entries: Record<string, unknown> | string) {
    const text = typeof entries === "string" ? entries : JSON.stringify(entries, null, 2) + "\n";
    this.write("baselines/svm-6.12.json", text);
  }
  config(value: unknown): void {
    this.write("gate.json", typeof value === "string" ? value : JSON.stringify(value));
  }
  read(name: string): string {
    return Deno.readTextFileSync(`${this.path}/${name}`);
  }
  get written(): unknown {
    return JSON.parse(this.read("baselines/svm-6.12.json"));
  }
  gate(...args: string[]): Promise<CommandOutcome> {
    const { path } = this;
    const own = [this.flag, `--config=${path}/gate.json`, `--baselines=${path}/baselines`];
    return runCommand(gate, ...own, `--durations=${path}/durations.json`, ...args);
  }
  judge(...args: string[]): Promise<CommandOutcome> {
    return this.gate(`--from=${this.path}/run.jsonl`, ...args);
  }
}
