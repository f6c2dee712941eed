import { ArgumentError, shown } from "../../ffi/argument.ts";
import { ioctls } from "../../ffi/abi/ioctls.ts";
import {
  kvm_run,
  kvm_run_hypercall,
  kvm_run_hyperv_hcall,
  kvm_run_hyperv_syndbg,
  kvm_run_io,
  kvm_run_mmio,
  kvm_run_msr,
  kvm_run_xen_hcall,
} from "../../ffi/abi/run.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { libc } from "../../ffi/libc.ts";
import { Mapping } from "../../ffi/mapping.ts";
import {
  drainKicks,
  drainSignals,
  kickThread,
  prepareThread,
  runSignalMask,
} from "../../ffi/signal.ts";
import { act, type Observed } from "./action.ts";
import { decodeExit } from "./decode_exit.ts";
import { KvmError } from "./error.ts";
import type { Exit, IntrExit } from "./exit.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { orMalformed, type SavedVcpu, SaveError } from "./saved_state.ts";
import { VcpuSharedArea } from "./vcpu_shared_area.ts";
import { restoreVcpu } from "./vcpu_restore.ts";
import { saveVcpu, type VcpuParts } from "./vcpu_save.ts";
import { type StateFeatures, type VmConfiguration, withWholeEvents } from "./vm_configuration.ts";

const EINTR = 4;
const KVM_RUN = ioctls.KVM_RUN;
const fields = kvm_run.fields;

/** Where in the shared area the answers to hypercalls of Xen and Hyper-V go. */
const XEN_RESULT = kvm_run_xen_hcall.fields.u[0] +
  kvm_run_xen_hcall.fields.u[1].fields.hcall[1].fields.result[0];
const HYPERV_RESULT = kvm_run_hyperv_hcall.fields.u[0] +
  kvm_run_hyperv_hcall.fields.u[1].fields.hcall[1].fields.result[0];
const HYPERV_STATUS = kvm_run_hyperv_syndbg.fields.u[0] +
  kvm_run_hyperv_syndbg.fields.u[1].fields.syndbg[1].fields.status[0];

/** What a vCPU needs to know to be saved. */
export interface VcpuSaving {
  /** What this host's KVM can save. */
  readonly features: StateFeatures;
  /** What was made of its VM. */
  readonly configuration: VmConfiguration;
}

/** Thrown when the host answers though the last exit asked for nothing. */
export class AnswerError extends Error {
  /** The class's name. */
  override readonly name = "AnswerError";
}

/**
 * A virtual CPU: the descriptor that KVM_CREATE_VCPU gives, and the area it shares (KVM API 4.7, 5).
 *
 * It is run by the thread that made it.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = vm.createVcpu();
 * console.log(vcpu.regs().rip); // 0xfff0n: the reset state
 * ```
 */
export class Vcpu extends VcpuSharedArea implements Disposable {
  readonly #vm: FileDescriptor;
  readonly #fd: FileDescriptor;
  readonly #number: number;
  readonly #run: Mapping;
  readonly #view: DataView<ArrayBuffer>;
  readonly #thread: number;
  readonly #observed: Observed;
  readonly #libc = libc();
  #disposed = false;
  #kicked = false;
  #answered = true;
  #parts: VcpuParts | undefined;
  #saving: VcpuSaving | undefined;
  /** The id it was made with. */
  readonly id: number;

  private constructor(
    vm: FileDescriptor,
    fd: FileDescriptor,
    id: number,
    run: Mapping,
    thread: number,
    observed: Observed,
    saving: VcpuSaving | undefined,
  ) {
    super(vm, fd, observed, run);
    this.#vm = vm;
    this.#saving = saving;
    this.#fd = fd;
    this.#number = fd.number;
    this.#run = run;
    this.#view = run.view;
    this.#thread = thread;
    this.#observed = observed;
    this.id = id;
  }

  /**
   * Makes a vCPU of a VM for the calling thread; {@link Vm.createVcpu} is the usual way.
   *
   * @param vm the VM's descriptor
   * @param runSize bytes of the shared area, {@link Kvm.vcpuMmapSize}
   * @param observed where the observer of its actions is found
   * @param saving what {@link save} needs; without it there is no save
   * @throws {KvmError} EEXIST when there is a vCPU of that id, EINVAL when it is out of range.
   */
  static create(
    vm: FileDescriptor,
    id: number,
    runSize: number,
    observed: Observed,
    saving?: VcpuSaving,
  ): Vcpu {
    const thread = prepareThread();
    const fd = new FileDescriptor(ioctlValue(vm, "KVM_CREATE_VCPU", id), "Vcpu");
    try {
      setSignalMask(fd);
      return new Vcpu(vm, fd, id, Mapping.ofFd(fd.number, runSize), thread, observed, saving);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Enters the guest and tells why it came back (KVM_RUN, KVM API 4.10).
   *
   * An IN, an MMIO read or a RDMSR is completed by the next call: give its value with
   * {@link answer} before.
   *
   * @throws {KvmError} EFAULT and others of the API document; EINTR is the exit `intr` instead.
   * @throws {DisposedError} after disposal.
   */
  run(): Exit {
    if (this.#disposed) this.#fd.number;
    this.#answered = false;
    const result = this.#libc.ioctlValue(this.#number, KVM_RUN, 0);
    if (result < 0) return this.#failed(this.#libc.errno[0]);
    return decodeExit(this.#view);
  }

  /**
   * Completes what the last exit left pending and does not enter the guest: a run with
   * `immediate_exit` (KVM API 5), which takes no kick. The state of a vCPU is whole after it.
   *
   * @returns the exit that follows at once where an access has several parts: answer it and
   * complete that; `undefined` when nothing is left
   * @throws {KvmError} as {@link run}.
   * @throws {DisposedError} after disposal.
   */
  complete(): Exit | undefined {
    if (this.#disposed) this.#fd.number;
    const view = this.#view;
    const at = fields.immediate_exit[0];
    const before = view.getUint8(at);
    view.setUint8(at, 1);
    const result = this.#libc.ioctlValue(this.#number, KVM_RUN, 0);
    const errno = result < 0 ? this.#libc.errno[0] : 0;
    view.setUint8(at, before);
    this.#answered = errno === EINTR;
    if (errno === EINTR) return;
    if (errno !== 0) throw new KvmError("KVM_RUN", errno);
    return decodeExit(view);
  }

  #failed(errno: number): Exit {
    if (errno === EINTR) return this.#interrupted();
    // KVM_EXIT_MEMORY_FAULT is the one exit that comes with an error (KVM API 5).
    const exit = decodeExit(this.#view);
    if (exit.reason === "memory-fault") return exit;
    throw new KvmError("KVM_RUN", errno);
  }

  #interrupted(): IntrExit {
    const { kick, deadline } = drainSignals();
    if (deadline) return { reason: "intr", cause: "deadline" };
    if (kick) return { reason: "intr", cause: "kick" };
    return { reason: "intr", cause: this.immediateExit ? "immediate-exit" : "signal" };
  }

  /**
   * Answers the exit that waits for a value: the elements of an IN, the bytes of an MMIO read, an
   * RDMSR's EDX:EAX, or a hypercall's result.
   *
   * @param value one value, or as many as the exit's `count`; truncated to its size
   * @throws {AnswerError} when the last exit asked for nothing, or for another number of values.
   * @throws {ArgumentError} when a value is no whole number.
   * @throws {DisposedError} after disposal.
   */
  answer(value: number | bigint | readonly (number | bigint)[]): void {
    if (this.#disposed) this.#fd.number;
    const view = this.#view;
    const exit = decodeExit(view);
    const values = checkAnswers(Array.isArray(value) ? value : [value]);
    const wanted = exit.reason === "pio" ? exit.count : 1;
    if (values.length !== wanted) {
      throw new AnswerError(`the exit ${exit.reason} wants ${wanted} values, not ${values.length}`);
    }
    if (exit.reason === "pio" && exit.direction === "in") {
      const at = view.getUint32(kvm_run_io.fields.data_offset[0], true);
      for (let index = 0; index < wanted; index++) {
        writeElement(view, at + index * exit.size, exit.size, Number(values[index]));
      }
    } else if (exit.reason === "mmio" && exit.direction === "read") {
      view.setBigUint64(kvm_run_mmio.fields.data[0], BigInt(values[0]), true);
    } else if (exit.reason === "rdmsr") {
      view.setUint8(kvm_run_msr.fields.error[0], 0);
      view.setBigUint64(kvm_run_msr.fields.data[0], BigInt(values[0]), true);
    } else if (exit.reason === "hypercall") {
      view.setBigUint64(kvm_run_hypercall.fields.ret[0], BigInt(values[0]), true);
    } else if (exit.reason === "xen-hypercall") {
      view.setBigUint64(XEN_RESULT, BigInt(values[0]), true);
    } else if (exit.reason === "hyperv-hypercall") {
      view.setBigUint64(HYPERV_RESULT, BigInt(values[0]), true);
    } else if (exit.reason === "hyperv-debug") {
      view.setBigUint64(HYPERV_STATUS, BigInt(values[0]), true);
    } else {
      throw new AnswerError(`the exit ${exit.reason} does not wait for an answer`);
    }
    this.#answered = true;
  }

  /**
   * Refuses the RDMSR or WRMSR of the last exit: KVM injects #GP into the guest.
   *
   * @throws {AnswerError} when the last exit was neither.
   * @throws {DisposedError} after disposal.
   */
  refuse(): void {
    if (this.#disposed) this.#fd.number;
    const { reason } = decodeExit(this.#view);
    if (reason !== "rdmsr" && reason !== "wrmsr") {
      throw new AnswerError(`the exit ${reason} cannot be refused: only RDMSR and WRMSR can`);
    }
    this.#view.setUint8(kvm_run_msr.fields.error[0], 1);
    this.#answered = true;
  }

  /**
   * The last exit, where it waits for a value that {@link answer} or {@link refuse} has yet to give.
   *
   * @throws {DisposedError} after disposal.
   */
  get unanswered(): Exit | undefined {
    if (this.#disposed) this.#fd.number;
    if (this.#answered) return undefined;
    const exit = decodeExit(this.#view);
    const waits = exit.reason === "rdmsr" || /hypercall$|^hyperv-debug$/.test(exit.reason) ||
      exit.reason === "pio" && exit.direction === "in" ||
      exit.reason === "mmio" && exit.direction === "read";
    return waits ? exit : undefined;
  }

  /**
   * Makes the current or the next {@link run} return `intr`, from any thread, exactly once.
   *
   * @throws {DisposedError} after disposal.
   */
  kick(): void {
    this.#fd.number;
    this.#kicked = true;
    act(this.#observed, "kick", [], () => kickThread(this.#thread));
  }

  /**
   * All state of the vCPU, after completing what the last exit left pending.
   *
   * @throws {SaveError} when an exit waits for an answer, or the vCPU has a thread of its own.
   * @throws {KvmError} when an ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  save(): SavedVcpu {
    this.#fd.number;
    const parts = this.#saved();
    const waiting = this.unanswered ?? this.complete();
    if (waiting !== undefined) {
      throw new SaveError(
        `vCPU ${this.id} left the guest with ${waiting.reason}, which waits: answer or run it first`,
      );
    }
    const { features, configuration } = this.#saving!;
    return withWholeEvents(this.#vm, features, configuration, () => saveVcpu(parts));
  }

  /**
   * Sets all state of the vCPU, which has not run yet and has the id of the saved one.
   *
   * @param tscShift how far the offset of a TSC of so many kHz moves; default not at all
   * @throws {RestoreError} when a member is malformed or the host does not take an MSR.
   * @throws {KvmError} when KVM refuses a state.
   * @throws {DisposedError} after disposal.
   */
  restore(saved: SavedVcpu, tscShift: (khz: number) => bigint = () => 0n): void {
    this.#fd.number;
    const parts = this.#saved();
    const { features, configuration } = this.#saving!;
    orMalformed(() =>
      withWholeEvents(this.#vm, features, configuration, () => restoreVcpu(parts, saved, tscShift))
    );
    this.#answered = true;
  }

  #saved(): VcpuParts {
    if (this.#saving === undefined) {
      throw new SaveError(`vCPU ${this.id} has a thread of its own: it is not saved from there`);
    }
    return this.#parts ??= {
      vcpu: this,
      fd: this.#fd,
      shared: this.#run,
      features: this.#saving.features,
      configuration: this.#saving.configuration,
    };
  }

  /**
   * Lets go of the vCPU in the kernel, for {@link renew}.
   *
   * @param placeholder a descriptor that keeps the number meanwhile
   */
  release(placeholder: number): void {
    this.#run.remap();
    for (const ring of this.rings) if (!ring.disposed) ring.release();
    this.#fd.become(placeholder);
  }

  /** Makes the vCPU anew, in a VM that has none of its id. */
  renew(): void {
    this.#fd.number;
    using fresh = new FileDescriptor(ioctlValue(this.#vm, "KVM_CREATE_VCPU", this.id), "Vcpu");
    this.#fd.become(fresh.number);
    this.#run.remap(this.#number);
    for (const ring of this.rings) if (!ring.disposed) ring.renew(this.#number);
    setSignalMask(this.#fd);
    this.configuration.capabilities = undefined;
  }

  /** Whether it was disposed. */
  get disposed(): boolean {
    return this.#fd.disposed;
  }

  /**
   * The file descriptor, for an ioctl that Trapline does not wrap.
   *
   * @throws {DisposedError} after disposal.
   */
  get fd(): number {
    return this.#fd.number;
  }

  /** Unmaps the shared area and closes the vCPU. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    // A kick that this vCPU has not taken is not for the next vCPU of the thread.
    if (this.#kicked) drainKicks();
    this.#run[Symbol.dispose]();
    this.#fd[Symbol.dispose]();
  }
}

/** KVM API 4.22: `len`, 8 here, and then as many bytes of mask. */
const signalMask = new DataView(new ArrayBuffer(12));

function setSignalMask(fd: FileDescriptor): void {
  signalMask.setUint32(0, 8, true);
  signalMask.setBigUint64(4, runSignalMask(), true);
  ioctlBuffer(fd, "KVM_SET_SIGNAL_MASK", signalMask);
}

function checkAnswers(values: readonly unknown[]): readonly (number | bigint)[] {
  for (const value of values) {
    if (typeof value === "bigint" || Number.isSafeInteger(value)) continue;
    throw new ArgumentError(`an answer is ${shown(value)}: give a whole number`);
  }
  return values as readonly (number | bigint)[];
}

function writeElement(view: DataView, at: number, size: number, value: number): void {
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}
