import { ConsoleReport, type Output } from "../report/console.ts";
import { LiveLine } from "../report/live_line.ts";
import { exitCode, type Place, type Reported } from "../report/report.ts";
import { type Baseline, BaselineError } from "../suite/baseline.ts";
import { Arguments } from "./arguments.ts";
import type { Backend, Progress } from "./backend.ts";
import { findBaseline, readBaseline } from "./baselines.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { fileUrl } from "./file_url.ts";
import { judge } from "./judge.ts";
import { judgeTwice } from "./judge_twice.ts";
import { emulators, labBackend } from "./lab_backend.ts";
import { lensHelp, readLens } from "./lens_option.ts";
import { OutputFiles, outputHelp, outputOptions } from "./output_files.ts";
import { guestsFolder, selectFrom, selectionHelp, selectionOptions } from "./selection.ts";

/** What `lab --help` prints. */
export const labHelp = `deno task lab svm|vmx [pattern...] [options]

Boots a Linux kernel in an emulator of a CPU that has the virtualization extension, and runs the
suite in it, with no virtualization on this machine: kvm-amd (svm) under QEMU, or kvm-intel (vmx)
under Bochs.

A pattern is a part of a case's id, or the whole id with * for anything: pio, 'mmio/*~long'.

  --kernel KERNEL    a Debian series, 6.1 or 6.12 (default), of which the newest cloud kernel is
                     downloaded, or the path of a bzImage
  --modules PATH     a module, or a folder with modules such as the kernel's tree, that come before
                     the kernel's own; several times if need be
  --params NAME=N    a parameter of KVM's modules, such as npt=0 or ept=0; several times if need be
${lensHelp}
  --smp N            CPUs of the machine (default 1)
  --jobs N           machines side by side (default one for each core, 2 at most)
${outputHelp}
  --baseline FILE    the failures that are known of this lab (default: the one in ci/baselines for
                     its backend, kernel series and parameters, if there is one)
  --no-baseline      judge without a baseline: every failure is unexpected
  --gate             for git bisect and CI: do nothing without a baseline, report nothing but what
                     it does not expect, and run a regression once more by itself: one that does not
                     come again is said, and tolerated
${selectionHelp}
  --keep             keep what the kernels have said, and tell where
  --help             print this

Exit code: 0 as expected, 1 unexpected failure or stale baseline entry, 2 wrong usage,
3 nothing could be run, or not all of it, or a file could not be written. For git bisect, a kernel
that cannot be judged is one to skip, which is 125:

  git bisect run sh -c 'make -j8 || exit 125
    deno task --cwd TRAPLINE lab svm --kernel $PWD/arch/x86/boot/bzImage --modules $PWD --gate
    code=$?; [ $code = 3 ] && exit 125; exit $code'
`;

/** `deno task lab`: runs cases in a lab and gives the exit code. */
export async function lab(args: readonly string[], output: Output): Promise<number> {
  const options = new Arguments("lab", args, {
    flags: ["gate", "keep"],
    values: ["kernel", "lens", "smp", "jobs", ...outputOptions, ...selectionOptions],
    lists: ["modules", "params"],
    negatable: ["baseline"],
  });
  if (options.flag("help")) {
    output.write(labHelp);
    return exitCodes.expected;
  }
  const live = new LiveLine(output);
  const backend = readBackend(options, (folder) => {
    live.clear();
    output.write(`kept: ${folder}\n`);
  });
  if (options.flag("gate") && options.negated("baseline")) {
    throw options.usage("--gate judges by a baseline: --no-baseline leaves it nothing");
  }
  const selection = await selectFrom(options, options.words.slice(1));
  const { chosen, shard } = selection;
  const report = new ConsoleReport(output, chosen.length, {
    onlyUnexpected: options.flag("gate"),
  });
  const progress: Progress = { case: (id) => report.begin(id), note: (text) => live.show(text) };
  try {
    await using open = await backend.open(chosen, progress);
    const baseline = knownFailures(options, open.place);
    using files = new OutputFiles(options, output);
    files.begin({ kind: "run", ...open.place, shard, cases: chosen.length });
    const tolerate = (message: string) => {
      report.tolerated(message);
      files.problem({ name: backend.name, message, tolerated: true });
    };
    const all: Reported[] = [];
    const results = options.flag("gate")
      ? judgeTwice({ backend, open, selection, baseline, progress, tolerate })
      : judge(open, selection, baseline);
    const failure = await collect(results, (reported) => {
      all.push(reported);
      report.end(reported);
      files.judged(reported);
    });
    if (all.length > 0 || failure === undefined) report.finish();
    files.finish();
    const found = exitCode(all);
    files.check(found);
    if (failure === undefined) return found;
    // What was found before is found.
    const isFound = found === exitCodes.unexpected && failure.code === exitCodes.nothing;
    throw isFound ? new CommandError(failure.message, found) : failure;
  } finally {
    live.clear();
  }
}

/** Takes results to the last one that there is; gives why there are no more. */
async function collect(
  results: AsyncIterable<Reported>,
  take: (reported: Reported) => void,
): Promise<CommandError | undefined> {
  try {
    for await (const reported of results) take(reported);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error;
  }
}

function readBackend(options: Arguments, keep: (folder: string) => void): Backend {
  const [name] = options.words;
  const emulator = emulators.get(name);
  if (emulator === undefined) {
    const labs = [...emulators.keys()].join(" or ");
    throw options.usage(
      name === undefined ? `no lab is named: ${labs}` : `there is no lab ${name}: ${labs}`,
    );
  }
  return labBackend(name, {
    emulator,
    kernel: options.value("kernel") ?? "6.12",
    modules: options.list("modules"),
    parameters: options.list("params").flatMap((text) => text.split(",")),
    cpus: options.count("smp", 8) ?? 1,
    lens: readLens(options),
    jobs: options.count("jobs", 8),
    guests: guestsFolder(options),
    keep: options.flag("keep") ? keep : undefined,
  });
}

function knownFailures(options: Arguments, place: Place): Baseline {
  if (options.negated("baseline")) return new Map();
  const named = options.value("baseline");
  try {
    if (named !== undefined) return readBaseline(fileUrl(named));
    const { baseline, file, target } = findBaseline(place);
    if (file !== undefined || !options.flag("gate")) return baseline;
    throw new CommandError(
      `there is no baseline ${
        decodeURIComponent(target.pathname.split("/").at(-1)!)
      }, and --gate ` +
        "judges by one: name it with --baseline FILE",
      exitCodes.nothing,
    );
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    throw new CommandError(error.message, exitCodes.nothing);
  }
}
