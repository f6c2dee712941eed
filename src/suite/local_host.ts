import { DisposedError } from "../../ffi/disposed.ts";
import { SystemCallError } from "../../ffi/errno.ts";
import { KvmError } from "../kvm/error.ts";
import { Kvm } from "../kvm/kvm.ts";
import type { Vm } from "../kvm/vm.ts";
import { Watchdog } from "../kvm/watchdog.ts";
import { explain } from "../trace/diff.ts";
import type { ExpectedTrace, StateEvent } from "../trace/event.ts";
import { type Case, initialRegisters } from "./case.ts";
import { CaseFailure } from "./drive.ts";
import { type Guest, labelAddress, prepareGuest } from "./guest.ts";
import { type LensName, makeLens } from "./lens.ts";
import { MemoryFrame } from "./memory_frame.ts";
import type { Start } from "./processor.ts";
import { Recording } from "./recording.ts";
import { HostFacts, type Requirement, slowness } from "./requirement.ts";
import { type CaseRun, runInline } from "./run_inline.ts";
import { runThreaded } from "./run_threaded.ts";
import type { Autopsy, CaseResult, Verdict } from "./verdict.ts";

/** Milliseconds that a case's guest may take if the case does not say. */
export const DEFAULT_TIMEOUT = 3000;
/** Where VMX may put its real-mode pages: below the BIOS, where no case has memory. */
const TSS_ADDRESS = 0xfffbd000;
/** Pins of the IOAPIC that a split interrupt controller leaves to user space. */
const SPLIT_IRQCHIP_PINS = 24;

/** How a host runs its cases. */
export interface LocalHostOptions {
  /** The device; default `/dev/kvm`. */
  readonly device?: string;
  /**
   * Milliseconds that a case's guest may take if the case does not say; default 3000, and a multiple
   * of it where the CPU is emulated. What a case says is scaled with it: 30000 gives every case ten
   * times as long.
   */
  readonly timeout?: number;
  /** Whether the threads of vCPUs are kept from case to case until the host is closed. */
  readonly keepThreads?: boolean;
  /** What is done between two exits of each guest that it must not notice; default nothing. */
  readonly lens?: LensName;
}

/**
 * The KVM of this machine as a backend: runs cases and judges their traces.
 *
 * @example
 * ```ts
 * import { asm, defineCase, LocalHost } from "@trapline/trapline";
 *
 * const halt = defineCase({
 *   id: "exit/hlt",
 *   spec: "KVM API 5: KVM_EXIT_HLT",
 *   mode: "real",
 *   guest: asm`hlt`,
 *   trace: "hlt",
 * });
 * using host = LocalHost.open();
 * console.log((await host.run(halt)).verdict); // "pass"
 * ```
 */
export class LocalHost implements Disposable {
  readonly #kvm: Kvm;
  /**
   * A VM with a vCPU that stays: KVM patches its own code (static keys) when the first comes and
   * when the last goes, which would take a good part of each case's time.
   */
  readonly #resident: Vm;
  readonly #watchdog = new Watchdog();
  readonly #timeout: number;
  readonly #lens: LensName | undefined;
  #disposed = false;
  /** What this host has. */
  readonly facts: HostFacts;

  private constructor(kvm: Kvm, timeout: number | undefined, lens: LensName | undefined) {
    this.#kvm = kvm;
    this.#resident = kvm.createVm();
    this.#resident.createVcpu();
    this.#lens = lens;
    this.facts = new HostFacts(kvm);
    const { emulation } = this.facts;
    this.#timeout = timeout ??
      DEFAULT_TIMEOUT * (emulation === undefined ? 1 : slowness[emulation]);
  }

  /**
   * Opens KVM.
   *
   * @throws {HostError} when this machine has no usable KVM; the message names the mend.
   * @throws {KvmError} when it gives no VM or no vCPU.
   */
  static open(options: LocalHostOptions = {}): LocalHost {
    const kvm = Kvm.open(options.device, options.keepThreads);
    try {
      return new LocalHost(kvm, options.timeout, options.lens);
    } catch (error) {
      kvm[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The first requirement of a case that this host lacks, in words.
   *
   * @throws {DisposedError} after disposal.
   */
  missing(definition: Case): string | undefined {
    this.#check();
    const { requires = [], irqchip = "none", vcpus = 1 } = definition;
    const all: Requirement[] = [...requires];
    if (irqchip === "kernel") all.push("KVM_CAP_IRQCHIP");
    if (irqchip === "split") all.push("KVM_CAP_SPLIT_IRQCHIP");
    if (vcpus > 1) all.push({ capability: "KVM_CAP_MAX_VCPUS", atLeast: vcpus });
    if (definition.mode === "long") all.push({ cpuid: "LM" });
    if (this.#lens === "sync-regs") all.push({ capability: "KVM_CAP_SYNC_REGS", atLeast: 7 });
    return this.facts.missing(all) ?? this.#withoutLens(definition);
  }

  /** Why a case's trace is not promised under the lens, in words. */
  #withoutLens({ withoutLens, vcpus = 1 }: Case): string | undefined {
    const lens = this.#lens;
    if (lens === undefined) return;
    const reason = withoutLens?.[lens] ??
      (vcpus > 1 ? "its vCPUs run beside each other, so no exit finds the others out" : undefined);
    return reason && `lens ${lens}: ${reason}`;
  }

  /**
   * Runs a case and judges it; whatever goes wrong is in the verdict.
   *
   * @throws {DisposedError} after disposal.
   */
  async run(definition: Case): Promise<CaseResult> {
    this.#check();
    const started = performance.now();
    let expected: ExpectedTrace = [];
    let recording: Recording | undefined;
    let autopsy: Autopsy | undefined;
    const result = (verdict: Verdict, reason?: string): CaseResult => ({
      case: definition,
      verdict,
      reason,
      expected,
      trace: recording?.trace ?? [],
      divergence: recording?.divergence,
      autopsy,
      milliseconds: performance.now() - started,
    });
    try {
      const missing = this.missing(definition);
      if (missing !== undefined) return result("skip", missing);
      const guest = prepareGuest(definition);
      expected = guest.expected;
      recording = new Recording(expected);
      using vm = this.#createVm(definition);
      const run = this.#prepareRun(definition, guest, vm, recording);
      const outcome = definition.vcpus !== undefined && definition.vcpus > 1
        ? await runThreaded(run, definition.vcpus)
        : await runInline(run, this.#watchdog);
      autopsy = outcome.autopsy;
      return this.#judge(recording, outcome.state, outcome.failure, result);
    } catch (error) {
      if (error instanceof KvmError) return result("fail", error.message);
      if (error instanceof SystemCallError) return result("error", error.message);
      return result("error", String(error instanceof Error ? error.stack : error));
    }
  }

  #createVm(definition: Case): Vm {
    const vm = this.#kvm.createVm();
    try {
      const { irqchip } = definition;
      if (irqchip === "kernel") vm.irq.createIrqchip();
      if (irqchip === "split") {
        vm.enableCapability("KVM_CAP_SPLIT_IRQCHIP", SPLIT_IRQCHIP_PINS);
      }
      if (this.facts.capability("KVM_CAP_SET_TSS_ADDR") > 0) vm.setTssAddress(TSS_ADDRESS);
      definition.prepare?.(vm);
      return vm;
    } catch (error) {
      vm[Symbol.dispose]();
      throw error;
    }
  }

  #prepareRun(definition: Case, guest: Guest, vm: Vm, recording: Recording): CaseRun {
    const { machine, assembled, memory } = guest;
    vm.memory.addRam(0, machine.memorySize).bytes.set(memory);
    const frame = new MemoryFrame(vm.memory);
    frame.watch();
    const start = (vcpu: number): Start => {
      const rip = vcpu === 0 ? machine.rip : labelAddress(definition.id, assembled, `vcpu${vcpu}`);
      const rsp = machine.rsp - BigInt(vcpu * 0x400);
      return {
        machine,
        regs: initialRegisters({ rip, rsp, rflags: machine.rflags }, definition.registers),
        cpuid: this.#kvm.supportedCpuid(),
      };
    };
    return {
      definition,
      assembled,
      vm,
      recording,
      frame,
      start,
      lens: this.#lens && makeLens(this.#lens, this.#kvm, vm),
      readable: {
        mpState: this.facts.capability("KVM_CAP_MP_STATE") > 0,
        xsave: this.facts.capability("KVM_CAP_XSAVE") > 0,
      },
      timeout: (definition.timeout ?? DEFAULT_TIMEOUT) * (this.#timeout / DEFAULT_TIMEOUT),
    };
  }

  #judge(
    recording: Recording,
    state: readonly StateEvent[],
    failure: unknown,
    result: (verdict: Verdict, reason?: string) => CaseResult,
  ): CaseResult {
    // A `drive` that throws leaves the trace incomplete: then what it threw says more. Where the
    // traces had parted before, that is the cause.
    const parted = recording.divergence !== undefined;
    const comparison = recording.finish(state);
    if (!comparison.ok && (parted || failure === undefined)) {
      const { divergence } = comparison;
      if (divergence.actual?.kind !== "timeout") return result("fail", explain(divergence));
      return result("timeout", "the guest did not return in time; the watchdog ended it");
    }
    if (failure === undefined) return result("pass");
    if (failure instanceof CaseFailure || failure instanceof KvmError) {
      return result("fail", failure.message);
    }
    return result("error", String(failure instanceof Error ? failure.stack : failure));
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError("LocalHost");
  }

  /** Closes KVM. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#watchdog[Symbol.dispose]();
    this.#resident[Symbol.dispose]();
    this.#kvm[Symbol.dispose]();
  }
}
