import { parseArgs } from "@std/cli/parse-args";
import { HostError } from "../kvm/kvm.ts";
import { ConsoleReport, exitCode, type Output, type Reported } from "../report/console.ts";
import { caseRecord, type RunHeader } from "../report/json_lines.ts";
import { type Baseline, BaselineError, standing } from "../suite/baseline.ts";
import {
  type CatalogueEntry,
  CatalogueError,
  loadCatalogue,
  selectCases,
} from "../suite/catalogue.ts";
import { type LensName, lensNames } from "../suite/lens.ts";
import { LocalHost } from "../suite/local_host.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl, shortPath } from "./file_url.ts";
import { hostBaseline, readBaseline } from "./host_baseline.ts";
import { openJson } from "./json_file.ts";

/** What `conform --help` prints. */
export const conformHelp = `deno task conform [pattern...] [options]

Runs the suite on this host's KVM and judges every trace.

A pattern is a part of a case's id, or the whole id with * for anything: pio, 'mmio/*~long'.

  --list             print the ids that would run, and run nothing
  --json FILE        write the run as JSON lines, each case as soon as it is judged
  --timeout MS       what a case's guest may take (default 3000); the cases that say it
                     themselves are scaled alike, so that 30000 suits a machine ten times slower
  --lens LENS        what the host does between two exits that no guest must notice: restore
                     (save the VM, destroy it, restore into a new one) or sync-regs (registers
                     through the shared area only); every trace must stay the same
  --baseline FILE    the failures that are known of this host (default: the one in ci/baselines
                     for its backend and kernel series, if there is one)
  --no-baseline      judge without a baseline: every failure is unexpected
  --guests FOLDER    another folder of cases
  --help             print this

Exit code: 0 as expected, 1 unexpected failure or stale baseline entry, 2 wrong usage,
3 nothing could be run.
`;

interface Options {
  readonly patterns: readonly string[];
  readonly list: boolean;
  readonly json?: string;
  readonly timeout?: number;
  readonly lens?: LensName;
  /** A file, or `false` for none. */
  readonly baseline?: string | false;
  readonly guests: URL;
}

const suite = new URL("../../guests/", import.meta.url);

/** `deno task conform`: runs cases on this host and gives the exit code. */
export async function conform(args: readonly string[], output: Output): Promise<number> {
  const options = parseOptions(args);
  if (options === "help") {
    output.write(conformHelp);
    return exitCodes.expected;
  }
  const chosen = await choose(options);
  if (options.list) {
    output.write(chosen.map(({ case: { id } }) => `${id}\n`).join(""));
    return exitCodes.expected;
  }
  using host = openHost(options);
  const baseline = knownFailures(options, host);
  using json = openJson(options.json);
  const header: RunHeader = {
    kind: "run",
    kernel: Deno.osRelease(),
    backend: host.facts.backend,
    lens: options.lens,
    cases: chosen.length,
  };
  json.write(header);
  const report = new ConsoleReport(output, chosen.length);
  const all: Reported[] = [];
  for (const { case: definition, file } of chosen) {
    report.begin(definition.id);
    const result = await host.run(definition);
    const reported: Reported = {
      result,
      standing: standing(baseline, definition.id, result.verdict),
      known: baseline.get(definition.id),
      file: shortPath(file),
    };
    all.push(reported);
    report.end(reported);
    json.write(caseRecord(result, reported.standing));
  }
  report.finish();
  return exitCode(all);
}

function parseOptions(args: readonly string[]): Options | "help" {
  const parsed = parseArgs(args, {
    boolean: ["list", "help"],
    string: ["json", "timeout", "lens", "baseline", "guests", "_"],
    negatable: ["baseline"],
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw usage(`there is no option ${arg}`);
    },
  });
  if (parsed.help) return "help";
  return {
    patterns: parsed._.map(String),
    list: parsed.list === true,
    json: value(parsed.json, "json"),
    timeout: parseTimeout(value(parsed.timeout, "timeout")),
    lens: parseLens(value(parsed.lens, "lens")),
    baseline: parsed.baseline === false ? false : value(parsed.baseline, "baseline"),
    guests: parseFolder(value(parsed.guests, "guests")),
  };
}

function usage(problem: string): CommandError {
  return new CommandError(`${problem}; see deno task conform --help`, exitCodes.usage);
}

function value(given: unknown, option: string): string | undefined {
  if (given === "") throw usage(`--${option} takes one value`);
  return given as string | undefined;
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return;
  const milliseconds = Number(text);
  if (!(milliseconds > 0 && milliseconds < 2 ** 31)) {
    throw usage(`--timeout ${text} is not a number of milliseconds above 0`);
  }
  return milliseconds;
}

function parseLens(name: string | undefined): LensName | undefined {
  if (name === undefined) return;
  const lens = lensNames.find((known) => known === name);
  if (lens !== undefined) return lens;
  throw usage(`--lens ${name} is no lens: ${lensNames.join(", ")}`);
}

function parseFolder(path: string | undefined): URL {
  if (path === undefined) return suite;
  return fileUrl(`${path.replace(/\/*$/, "")}/`);
}

async function choose({ guests, patterns }: Options): Promise<CatalogueEntry[]> {
  let entries: CatalogueEntry[];
  try {
    entries = await loadCatalogue(guests);
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
  const chosen = selectCases(entries, patterns);
  if (chosen.length > 0) return chosen;
  throw new CommandError(
    `no case matches ${patterns.join(" ")}: deno task conform --list prints them all`,
    exitCodes.usage,
  );
}

function openHost({ timeout, patterns, lens }: Options): LocalHost {
  try {
    return LocalHost.open({ timeout, lens });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    // A lab's Deno and its kernel are those of an x86-64 Linux host too.
    const way = error.problem === "platform" ? "" : ` ${wayOn(patterns)}`;
    throw new CommandError(error.message + way, exitCodes.nothing);
  }
}

function wayOn(patterns: readonly string[]): string {
  const quoted = patterns.map((pattern) => pattern.includes("*") ? ` '${pattern}'` : ` ${pattern}`);
  const command = (lab: string) => `deno task lab ${lab}${quoted.join("")}`;
  return "Emulated CPUs do without it: " +
    `${command("svm")} judges AMD's KVM, ${command("vmx")} Intel's.`;
}

function knownFailures({ baseline, lens }: Options, host: LocalHost): Baseline {
  if (baseline === false) return new Map();
  try {
    if (baseline === undefined) return hostBaseline(host.facts, lens);
    return readBaseline(fileUrl(baseline));
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}
