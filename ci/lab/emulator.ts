/** What a lab's machine is made of: an emulator of a CPU with a virtualization extension. */
import type { Tool } from "./command.ts";
import type { Kernel } from "./kernel.ts";

/** What an emulator is to boot. */
export interface Machine {
  readonly kernel: Kernel;
  /** Path of the initramfs. */
  readonly initramfs: string;
  /** The kernel's command line; the emulator adds what it needs itself. */
  readonly commandLine: string;
  readonly cpus: number;
  /** A folder of this boot's own, removed after it. */
  readonly folder: string;
}

/** A kind of lab. */
export interface Emulator {
  /** Whose virtualization extension the emulated CPU has: what baselines are named by. */
  readonly backend: "svm" | "vmx";
  /** The module that drives it, as the kernel spells it. */
  readonly vendorModule: "kvm_amd" | "kvm_intel";
  /** The commands that it takes. */
  readonly tools: readonly Tool[];
  /** How often slower than a computer's its CPU is at running a guest: the cases' time is scaled. */
  readonly timeScale: number;
  /** Milliseconds that a boot may take, up to the first case. */
  readonly bootTime: number;
  /** Sections of the modules that it boots faster without. */
  readonly dropSections: readonly string[];

  /**
   * Starts the machine.
   *
   * The kernel's console is the machine's first serial port, the channel its second one.
   *
   * @throws {LabError} when it does not start.
   */
  start(machine: Machine): Promise<RunningEmulator>;
}

/** A machine that runs. Both streams end when it does. */
export interface RunningEmulator {
  /** What the kernel says. */
  readonly console: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What the lab tells, as JSON lines. */
  readonly channel: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** How it ended, in words, once it has: the process is gone then. Never rejects. */
  readonly ended: Promise<string>;
  /** Ends it, if it has not ended. */
  kill(): void;
}
