import { parseArgs } from "@std/cli/parse-args";
import { Cache } from "../../ci/lab/cache.ts";
import type { Emulator } from "../../ci/lab/emulator.ts";
import { LabError } from "../../ci/lab/error.ts";
import { type Lab, prepareLab, runLab } from "../../ci/lab/lab.ts";
import { qemu } from "../../ci/lab/qemu.ts";
import type { LabEvents } from "../../ci/lab/supervisor.ts";
import { ConsoleReport, exitCode, type Output, type Reported } from "../report/console.ts";
import { caseRecord, type RunHeader } from "../report/json_lines.ts";
import { type Baseline, BaselineError, standing } from "../suite/baseline.ts";
import { CatalogueError, selectCases } from "../suite/catalogue.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl, shortPath } from "./file_url.ts";
import { readBaseline } from "./host_baseline.ts";
import { Interruption } from "./interruption.ts";
import { openJson } from "./json_file.ts";
import { labBaseline } from "./lab_baseline.ts";
import { LabProgress } from "./lab_progress.ts";

const emulators = new Map<string, Emulator>([["svm", qemu]]);

/** What `lab --help` prints. */
export const labHelp = `deno task lab svm [pattern...] [options]

Boots a Linux kernel in an emulator of a CPU that has the virtualization extension, and runs the
suite in it: kvm-amd (svm) under QEMU, with no virtualization on this machine.

A pattern is a part of a case's id, or the whole id with * for anything: pio, 'mmio/*~long'.

  --kernel KERNEL    a Debian series, 6.1 or 6.12 (default), of which the newest cloud kernel is
                     downloaded, or the path of a bzImage
  --modules PATH     a module, or a folder with modules such as the kernel's tree, that come before
                     the kernel's own; several times if need be
  --params NAME=N    a parameter of KVM's modules, such as npt=0; several times if need be
  --smp N            CPUs of the machine (default 1)
  --jobs N           machines side by side (default one for each core, 2 at most)
  --json FILE        write the run as JSON lines, each case as soon as it is judged
  --baseline FILE    the failures that are known of this lab (default: the one in ci/baselines for
                     its backend, kernel series and parameters, if there is one)
  --no-baseline      judge without a baseline: every failure is unexpected
  --gate             for git bisect and CI: do nothing without a baseline, and report nothing but
                     what it does not expect
  --guests FOLDER    another folder of cases
  --keep             keep what the kernels have said, and tell where
  --help             print this

Exit code: 0 as expected, 1 unexpected failure or stale baseline entry, 2 wrong usage,
3 nothing could be run, or not all of it. For git bisect, a kernel that cannot be judged is one to
skip, which is 125:

  git bisect run sh -c 'make -j8 || exit 125
    deno task --cwd TRAPLINE lab svm --kernel $PWD/arch/x86/boot/bzImage --modules $PWD --gate
    code=$?; [ $code = 3 ] && exit 125; exit $code'
`;

interface Options {
  readonly emulator: Emulator;
  readonly patterns: readonly string[];
  readonly kernel: string;
  readonly modules: readonly string[];
  readonly parameters: readonly string[];
  readonly cpus: number;
  readonly jobs?: number;
  readonly json?: string;
  /** A file, or `false` for none. */
  readonly baseline?: string | false;
  readonly gate: boolean;
  readonly guests: URL;
  readonly keep: boolean;
}

const suite = new URL("../../guests/", import.meta.url);

/** `deno task lab`: runs cases in a lab and gives the exit code. */
export async function lab(args: readonly string[], output: Output): Promise<number> {
  const options = parseOptions(args);
  if (options === "help") {
    output.write(labHelp);
    return exitCodes.expected;
  }
  using interruption = new Interruption();
  const progress = new LabProgress(output);
  try {
    const cache = new Cache();
    const lab = await prepareLab(cache, {
      ...options,
    }, (step) => progress.step(step));
    interruption.signal.throwIfAborted();
    return await judge(cache, lab, options, output, progress, interruption.signal);
  } catch (error) {
    progress.clear();
    if (interruption.signal.aborted) throw new CommandError("interrupted", interruption.code);
    throw asCommandError(error);
  }
}

async function judge(
  cache: Cache,
  lab: Lab,
  options: Options,
  output: Output,
  progress: LabProgress,
  signal: AbortSignal,
): Promise<number> {
  const { backend } = options.emulator;
  const numbers = choose(lab, options.patterns);
  const baseline = knownFailures(lab, options);
  using json = openJson(options.json);
  const header: RunHeader = {
    kind: "run",
    kernel: lab.kernel.release,
    backend,
    params: options.parameters,
    cases: numbers.length,
  };
  json.write(header);
  const report = new ConsoleReport(output, numbers.length, { onlyUnexpected: options.gate });
  const all: Reported[] = [];
  const events: LabEvents = {
    boot: (again) => progress.step(again ? "booting again" : `booting ${lab.kernel.release}`),
    stage: (stage) => progress.stage(stage),
    begin: ({ case: { id } }) => report.begin(id),
    end({ case: { id }, file }, result) {
      const where = standing(baseline, id, result.verdict);
      json.write(caseRecord(result, where));
      const known = baseline.get(id);
      const reported = { result, standing: where, known, file: shortPath(file) };
      all.push(reported);
      report.end(reported);
    },
  };
  let failure: unknown;
  const keep = options.keep ? (folder: string) => progress.note(`kept: ${folder}`) : undefined;
  try {
    await runLab(cache, lab, { numbers, jobs: options.jobs, signal, keep }, events);
  } catch (error) {
    failure = error;
  }
  if (all.length > 0 || failure === undefined) report.finish();
  if (failure === undefined) return exitCode(all);
  if (signal.aborted) throw failure;
  const error = asCommandError(failure);
  // What was found before is found.
  const found = exitCode(all) === exitCodes.unexpected;
  throw found ? new CommandError(error.message, exitCodes.unexpected) : error;
}

function asCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof LabError) {
    return new CommandError(error.message, error.usage ? exitCodes.usage : exitCodes.nothing);
  }
  if (error instanceof CatalogueError || error instanceof BaselineError) {
    return new CommandError(error.message, exitCodes.nothing);
  }
  throw error;
}

function choose({ cases }: Lab, patterns: readonly string[]): number[] {
  const chosen = new Set(selectCases(cases, patterns));
  const numbers = cases.flatMap((entry, number) => chosen.has(entry) ? [number] : []);
  if (numbers.length > 0) return numbers;
  throw new CommandError(
    `no case matches ${patterns.join(" ")}: deno task conform --list prints them all`,
    exitCodes.usage,
  );
}

function knownFailures(
  { kernel }: Lab,
  { emulator, parameters, baseline, gate }: Options,
): Baseline {
  if (baseline === false) return new Map();
  if (baseline !== undefined) return readBaseline(fileUrl(baseline));
  const file = labBaseline(emulator.backend, kernel.series, parameters);
  if (file !== undefined) return readBaseline(file);
  if (!gate) return new Map();
  throw new CommandError(
    `there is no baseline for ${[emulator.backend, kernel.series, ...parameters].join(" ")}, and ` +
      "--gate judges by one: name it with --baseline FILE",
    exitCodes.nothing,
  );
}

function parseOptions(args: readonly string[]): Options | "help" {
  const parsed = parseArgs(args, {
    boolean: ["help", "gate", "keep"],
    string: ["kernel", "modules", "params", "smp", "jobs", "json", "baseline", "guests", "_"],
    collect: ["modules", "params"],
    negatable: ["baseline"],
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw usage(`there is no option ${arg}`);
    },
  });
  if (parsed.help) return "help";
  const [name, ...patterns] = parsed._.map(String);
  const emulator = emulators.get(name);
  const labs = [...emulators.keys()].join(" or ");
  if (emulator === undefined) {
    throw usage(
      name === undefined ? `no lab is named: ${labs}` : `there is no lab ${name}: ${labs}`,
    );
  }
  if (parsed.gate === true && parsed.baseline === false) {
    throw usage("--gate judges by a baseline: --no-baseline leaves it nothing");
  }
  const guests = value(parsed.guests, "guests");
  return {
    emulator,
    patterns,
    kernel: value(parsed.kernel, "kernel") ?? "6.12",
    modules: values(parsed.modules, "modules"),
    parameters: values(parsed.params, "params").flatMap((text) => text.split(",")),
    cpus: count(parsed.smp, "smp", 8) ?? 1,
    jobs: count(parsed.jobs, "jobs", 8),
    json: value(parsed.json, "json"),
    baseline: parsed.baseline === false ? false : value(parsed.baseline, "baseline"),
    gate: parsed.gate === true,
    guests: guests === undefined ? suite : fileUrl(`${guests.replace(/\/*$/, "")}/`),
    keep: parsed.keep === true,
  };
}

function usage(problem: string): CommandError {
  return new CommandError(`${problem}; see deno task lab --help`, exitCodes.usage);
}

function value(given: unknown, option: string): string | undefined {
  if (given === "") throw usage(`--${option} takes one value`);
  return given as string | undefined;
}

function values(given: unknown, option: string): string[] {
  const all = (given ?? []) as string[];
  for (const one of all) value(one, option);
  return all;
}

function count(given: unknown, option: string, limit: number): number | undefined {
  const text = value(given, option);
  if (text === undefined) return;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= limit) return number;
  throw usage(`--${option} ${text} is not a number from 1 to ${limit}`);
}
