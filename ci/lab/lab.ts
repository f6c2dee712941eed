/** A lab from end to end: what it is made of, and a run of cases in it. */
import type { CatalogueEntry } from "../../src/suite/catalogue.ts";
import type { Cache } from "./cache.ts";
import { encodeNumbers } from "./case_list.ts";
import { requireTools, tools } from "./command.ts";
import { divide } from "./divide.ts";
import type { Emulator } from "./emulator.ts";
import { LabError, systemReason } from "./error.ts";
import { labImage } from "./image.ts";
import { debianKernel, isSeries, type Kernel, ownKernel, type Progress } from "./kernel.ts";
import { labModules, type Parameter, routeParameters } from "./modules.ts";
import type { LensName } from "../../src/suite/lens.ts";
import { DEFAULT_TIMEOUT } from "../../src/suite/local_host.ts";
import { bundleSuite } from "./suite.ts";
import { type LabEvents, supervise } from "./supervisor.ts";
import { readTimes, writeTimes } from "./times.ts";

/** What a lab is to be. */
export interface LabDescription {
  readonly emulator: Emulator;
  /** A Debian series, such as `6.12`, or the path of a bzImage. */
  readonly kernel: string;
  /** Files and folders with modules that come before the kernel's own. */
  readonly modules: readonly string[];
  /** Parameters of KVM's modules: `npt=0`, `kvm.tdp_mmu=0`. */
  readonly parameters: readonly string[];
  readonly cpus: number;
  /** What the lab does between two exits. */
  readonly lens?: LensName;
  /** URL of the folder of cases. */
  readonly guests: URL;
}

/** A lab that can be booted. */
export interface Lab {
  readonly description: LabDescription;
  readonly kernel: Kernel;
  readonly parameters: readonly Parameter[];
  /** Path of its initramfs. */
  readonly initramfs: string;
  /** Every case of its suite, by id. */
  readonly cases: readonly CatalogueEntry[];
}

/**
 * Gets and builds what a lab consists of; what the cache has is not built again.
 *
 * @throws {LabError} when a tool is missing (before anything is begun), or a part cannot be had.
 * @throws {CatalogueError} when the folder of cases cannot be read as one.
 */
export async function prepareLab(
  cache: Cache,
  description: LabDescription,
  progress: Progress,
): Promise<Lab> {
  const { emulator, guests } = description;
  const debian = isSeries(description.kernel);
  requireTools([
    ...emulator.tools,
    tools.busybox,
    tools.objcopy,
    tools.ldd,
    ...debian ? [tools.apt, tools.aptCache, tools.dpkg] : [],
  ]);
  const kernel = debian
    ? await debianKernel(cache, description.kernel, progress)
    : await ownKernel(cache, description.kernel);
  const { vendorModule, dropSections } = emulator;
  const modules = await labModules(cache, kernel, vendorModule, description.modules, dropSections);
  const parameters = routeParameters(modules, vendorModule, description.parameters);
  progress("bundling the suite");
  const suite = await bundleSuite(cache, guests);
  progress("building the image");
  const initramfs = await labImage(cache, suite, modules);
  return { description, kernel, parameters, initramfs, cases: suite.cases };
}

/** How a run goes about it. */
export interface RunOptions {
  /** The numbers of the cases to run. */
  readonly numbers: readonly number[];
  /** How many machines run side by side; default one for each core, two at most. */
  readonly jobs?: number;
  readonly signal: AbortSignal;
  /** Gets the folder with what the labs have said, which is kept then. */
  readonly keep?: (folder: string) => void;
}

/** How many cases are worth a boot of a second machine. */
const WORTH_A_BOOT = 60;
/** For how long a lab may give no sign, in milliseconds; its heart beats every two seconds. */
const HEARTBEAT = 40_000;
/** How long a kernel that has complained has until it is ended, in milliseconds. */
const LAST_WORDS = 3000;
/** What a case may take beside its guest's time, in milliseconds on a computer. */
const CASE_OVERHEAD = 6000;

/**
 * Runs cases in a lab, on as many machines as suit.
 *
 * @throws {LabError} when a machine does not boot or does nothing but crash; what was judged before
 * has been told.
 * @throws the signal's reason when it is aborted. No process and no file is left in any case.
 */
export async function runLab(
  cache: Cache,
  lab: Lab,
  { numbers, jobs, signal, keep }: RunOptions,
  events: LabEvents,
): Promise<void> {
  const { emulator, cpus } = lab.description;
  const kind = [emulator.backend, lab.kernel.series, ...lab.description.parameters].join(" ");
  const times = await readTimes(cache, kind);
  const shares = divide(
    numbers,
    jobs ?? (numbers.length < WORTH_A_BOOT ? 1 : Math.min(2, navigator.hardwareConcurrency)),
    (number) => times.get(lab.cases[number].case.id),
  );
  const folder = makeFolder();
  const measured = new Map<string, number>();
  const failed = new AbortController();
  try {
    const machines = shares.map(async (share, index) => {
      try {
        const own = `${folder}/machine${index}`;
        Deno.mkdirSync(own);
        await supervise({
          emulator,
          machine: { kernel: lab.kernel, initramfs: lab.initramfs, cpus },
          commandLine: (numbers) => commandLine(lab, numbers),
          cases: lab.cases,
          numbers: share,
          limits: {
            boot: emulator.bootTime,
            heartbeat: HEARTBEAT,
            lastWords: LAST_WORDS,
            case: ({ timeout = DEFAULT_TIMEOUT }) =>
              (2 * timeout + CASE_OVERHEAD) * emulator.timeScale,
          },
          folder: own,
          signal: AbortSignal.any([signal, failed.signal]),
        }, measuring(events, measured));
      } catch (error) {
        // One that fails takes the others along.
        failed.abort(error);
        throw error;
      }
    });
    const ends = await Promise.allSettled(machines);
    signal.throwIfAborted();
    if (failed.signal.aborted) throw failed.signal.reason;
    const broken = ends.find((end) => end.status === "rejected");
    if (broken !== undefined) throw broken.reason;
    await writeTimes(cache, kind, measured);
  } finally {
    if (keep === undefined) await removeFolder(folder);
    else keep(folder);
  }
}

/** Removes a folder, if nobody who tidies up has done so already. */
async function removeFolder(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function makeFolder(): string {
  try {
    return Deno.makeTempDirSync({ prefix: "trapline-lab-" });
  } catch (error) {
    throw new LabError(
      `no temporary folder can be made: ${systemReason(error)}; TMPDIR says where it should be`,
    );
  }
}

/** Listens in, for how long each case takes. */
function measuring(events: LabEvents, measured: Map<string, number>): LabEvents {
  let began = 0;
  return {
    ...events,
    begin(entry) {
      began = performance.now();
      events.begin?.(entry);
    },
    end(entry, result) {
      measured.set(entry.case.id, Math.round(performance.now() - began));
      events.end(entry, result);
    },
  };
}

/** Longer command lines than this the kernel cuts off (COMMAND_LINE_SIZE on x86). */
const COMMAND_LINE_LIMIT = 2047;

/** The kernel's own tests and searches that a lab has no use for, and that take long in one. */
const skippedInitcalls = [
  "load_system_certificate_list",
  "jent_mod_init",
  "bpf_tcp_ca_kfunc_init",
  "bpf_dummy_struct_ops_init",
  "init_kprobe_trace",
  "trace_eval_init",
  "crypto_kdf108_init",
  "btf_vmlinux_init",
  "ftrace_check_for_weak_functions",
];

function commandLine({ parameters, description }: Lab, numbers: readonly number[]): string {
  const words = [
    "console=ttyS0 quiet",
    // A panic is an end at once, and not a silence.
    "panic=-1 oops=panic",
    "8250.nr_uarts=4 i8042.noaux i8042.nokbd",
    "mitigations=off audit=0 apparmor=0 selinux=0 nowatchdog rodata=off random.trust_cpu=on",
    "cryptomgr.notests=1",
    // Memory is not zeroed, counted, checked or given back where nothing depends on it.
    "init_on_alloc=0 hardened_usercopy=off cgroup_disable=memory retain_initrd",
    `initcall_blacklist=${skippedInitcalls.join(",")}`,
    // What a guest puts behind a certain prefix is emulated; no other guest notices.
    "kvm.force_emulation_prefix=1",
    ...parameters.map(({ module, text }) => `${module}.${text}`),
    ...description.lens === undefined ? [] : [`trapline.lens=${description.lens}`],
    `trapline.cases=${encodeNumbers(numbers)}`,
  ];
  const line = words.join(" ");
  if (line.length > COMMAND_LINE_LIMIT) {
    throw new LabError(
      `the choice of ${numbers.length} cases does not fit on the kernel's command line: ` +
        "give patterns that choose fewer",
    );
  }
  return line;
}
