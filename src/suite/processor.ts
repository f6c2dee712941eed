/** How the runner enters a guest: in its own thread, or in threads of the vCPUs. */
import type { Exit } from "../kvm/exit.ts";
import { KvmError } from "../kvm/error.ts";
import type { Vcpu } from "../kvm/vcpu.ts";
import type { VcpuThread } from "../kvm/vcpu_thread.ts";
import type { MachineState } from "../x86/modes.ts";
import type { CpuidEntry, Registers, SystemRegisters } from "../x86/state.ts";
import { CaseEnded } from "./drive.ts";
import type { Lens } from "./lens.ts";
import type { Recording } from "./recording.ts";
import { initialXsave } from "./floating_point.ts";
import type { Readable, VcpuReading } from "./vcpu_snapshot.ts";

/** What a vCPU starts with. */
export interface Start {
  readonly machine: MachineState;
  readonly regs: Registers;
  readonly cpuid: readonly CpuidEntry[];
}

const MP_STATE_RUNNABLE = 0;

/** Where a vCPU stood. */
export interface Standpoint {
  readonly regs: Registers;
  readonly sregs: SystemRegisters;
}

/** A vCPU of the calling thread, its entries recorded. */
export class Processor {
  readonly #recording: Recording;
  readonly #lens: Lens | undefined;
  readonly #onDivergence: () => void;
  /** Where it stood when the trace first left the expected one. */
  diverged?: Standpoint;
  /** The vCPU. */
  readonly vcpu: Vcpu;

  /**
   * Nothing is set or entered yet.
   *
   * @param onDivergence called when the trace first leaves the expected one
   */
  constructor(vcpu: Vcpu, recording: Recording, onDivergence: () => void, lens?: Lens) {
    this.vcpu = vcpu;
    this.#recording = recording;
    this.#onDivergence = onDivergence;
    this.#lens = lens;
  }

  /** Puts the vCPU into the state that the case starts in. */
  start({ machine, regs, cpuid }: Start, { xsave }: Readable): void {
    const { vcpu } = this;
    vcpu.setCpuid(cpuid);
    vcpu.setSregs({ ...vcpu.sregs(), ...machine.sregs });
    vcpu.setRegs(regs);
    if (xsave) vcpu.setXsave(initialXsave(vcpu.xsaveSize()));
  }

  /** Enters once, records the exit and answers it. */
  enter(): Exit {
    checkTime(this.#recording);
    let exit: Exit;
    try {
      exit = this.#lens === undefined ? this.vcpu.run() : this.#lens.enter(this.vcpu);
    } catch (error) {
      throw refused(error, this.#recording);
    }
    const answer = this.#recording.exit(exit);
    if (this.#recording.divergence !== undefined && this.diverged === undefined) {
      this.diverged = { regs: this.vcpu.regs(), sregs: this.vcpu.sregs() };
      this.#onDivergence();
    }
    if (answer === "error") this.vcpu.refuse();
    else if (answer !== undefined && answer.length > 0) this.vcpu.answer(answer);
    return exit;
  }

  /** What KVM tells of the vCPU. */
  read(readable: Readable): VcpuReading {
    const { vcpu } = this;
    return {
      regs: vcpu.regs(),
      sregs: vcpu.sregs(),
      events: vcpu.events(),
      debugRegs: vcpu.debugRegs(),
      mpState: readable.mpState ? vcpu.mpState() : undefined,
      xsave: readable.xsave ? vcpu.xsave() : undefined,
    };
  }
}

/** A vCPU of a case that has several, in its own thread, its entries recorded with its number. */
export class ThreadedProcessor {
  readonly #recording: Recording;
  /** When the case's time is over, on the clock of `performance.now()`. */
  deadline = Infinity;
  #entered: Promise<unknown> | undefined;
  #stopped = false;

  /** Nothing is set or entered yet. */
  constructor(readonly thread: VcpuThread, recording: Recording) {
    this.#recording = recording;
  }

  /** Puts the vCPU into the state that the case starts in. */
  async start(
    { machine, regs, cpuid }: Start,
    { xsave }: Readable,
    kernelApic: boolean,
  ): Promise<void> {
    const { thread } = this;
    await thread.call("setCpuid", cpuid);
    await thread.call("setSregs", { ...await thread.call("sregs"), ...machine.sregs });
    await thread.call("setRegs", regs);
    if (xsave) await thread.call("setXsave", initialXsave(await thread.call("xsaveSize")));
    // With its APIC in the kernel a vCPU but the first waits for a startup IPI.
    if (kernelApic) await thread.call("setMpState", MP_STATE_RUNNABLE);
  }

  /** Enters once, records the exit and answers it. */
  async enter(): Promise<Exit> {
    checkTime(this.#recording);
    const { thread } = this;
    if (this.#stopped) throw new CaseEnded("this case has ended");
    let exit: Exit;
    try {
      const running = thread.run(Math.max(1, this.deadline - performance.now()));
      this.#entered = running.catch(() => {});
      exit = await running;
    } catch (error) {
      throw refused(error, this.#recording, thread.id);
    } finally {
      this.#entered = undefined;
    }
    // That it was stopped is no event of the guest's.
    if (this.#stopped) return exit;
    const answer = this.#recording.exit(exit, thread.id);
    if (answer === "error") await thread.call("refuse");
    else if (answer !== undefined && answer.length > 0) await thread.call("answer", answer);
    return exit;
  }

  /** Ends an entry that is still under way, so that the vCPU can be read; there is no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#entered === undefined) return;
    this.thread.kick();
    await this.#entered;
  }

  /** What KVM tells of the vCPU. */
  async read(readable: Readable): Promise<VcpuReading> {
    const { thread } = this;
    return {
      regs: await thread.call("regs"),
      sregs: await thread.call("sregs"),
      events: await thread.call("events"),
      debugRegs: await thread.call("debugRegs"),
      mpState: readable.mpState ? await thread.call("mpState") : undefined,
      xsave: readable.xsave ? await thread.call("xsave") : undefined,
    };
  }
}

function checkTime(recording: Recording): void {
  if (recording.timedOut) throw new CaseEnded("the watchdog has ended this case's guest");
}

/** Records that KVM_RUN itself failed: the vCPU has ended, and that is a part of its trace. */
function refused(error: unknown, recording: Recording, vcpu?: number): unknown {
  if (error instanceof KvmError) {
    recording.action({ name: "run", operands: [], answer: error.code }, vcpu);
  }
  return error;
}
