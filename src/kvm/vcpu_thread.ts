import { ArgumentError } from "../../ffi/argument.ts";
import { kvm_run } from "../../ffi/abi/run.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { Mapping } from "../../ffi/mapping.ts";
import { kickThread } from "../../ffi/signal.ts";
import { act, type Observed } from "./action.ts";
import type { Exit } from "./exit.ts";
import { reviveError, type SentError } from "./sent_error.ts";
import type { Vcpu } from "./vcpu.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** The methods of a {@link Vcpu} that can be called in its thread from another one. */
export type VcpuMethod = {
  [K in keyof Vcpu]: Vcpu[K] extends (...args: never[]) => unknown ? K : never;
}[Exclude<keyof Vcpu, typeof Symbol.dispose | "kick" | "dirtyRing" | "statistics">];

/** What the main thread asks of a vCPU's thread. */
export type Request =
  | {
    readonly kind: "create";
    readonly ticket: number;
    readonly vm: number;
    readonly id: number;
    readonly runSize: number;
    readonly control: Int32Array;
  }
  | {
    readonly kind: "call";
    readonly ticket: number;
    readonly method: VcpuMethod;
    readonly args: readonly unknown[];
    /** Milliseconds that a run may take. */
    readonly deadline?: number;
  }
  | { readonly kind: "stop" };

/** What a vCPU's thread answers. */
export type Reply =
  | { readonly kind: "result"; readonly ticket: number; readonly result: unknown }
  | { readonly kind: "error"; readonly ticket: number; readonly error: SentError };

/** Index of the control word by which a disposal tells the thread to enter no guest any more. */
export const STOPPING = 0;
/** Index of the control word by which the thread tells that its descriptors are closed. */
export const CLOSED = 1;

/** How long a disposal waits for the thread, in milliseconds; a kick takes microseconds. */
const CLOSE_TIMEOUT = 10_000;

/** Of this thread's calls: what a Worker still had to answer for another vCPU finds no call. */
let ticket = 0;

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A vCPU in a thread of its own, a Worker: what a VM with several vCPUs runs on.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using vcpu = await vm.startVcpu(0);
 * console.log((await vcpu.call("regs")).rip); // 0xfff0n
 * ```
 */
export class VcpuThread implements Disposable {
  readonly #pool: WorkerPool;
  readonly #worker: Worker;
  readonly #observed: Observed;
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #pending = new Map<number, Pending>();
  #thread = 0;
  #run: Mapping | undefined;
  #disposed = false;
  /** The id it was made with. */
  readonly id: number;

  private constructor(id: number, observed: Observed, pool: WorkerPool) {
    this.id = id;
    this.#observed = observed;
    this.#pool = pool;
    this.#worker = pool.take();
  }

  /**
   * Starts the thread and makes the vCPU in it; {@link Vm.startVcpu} is the usual way.
   *
   * @param vm the VM's descriptor
   * @param runSize bytes of the shared area, {@link Kvm.vcpuMmapSize}
   * @param observed where the observer of its actions is found
   * @param pool where its thread comes from
   * @throws {KvmError} EEXIST when there is a vCPU of that id, EINVAL when it is out of range.
   */
  static async start(
    vm: FileDescriptor,
    id: number,
    runSize: number,
    observed: Observed,
    pool: WorkerPool,
  ): Promise<VcpuThread> {
    const self = new VcpuThread(id, observed, pool);
    try {
      await self.#create(vm.number, runSize);
      return self;
    } catch (error) {
      self.#worker.terminate();
      throw error;
    }
  }

  async #create(vm: number, runSize: number): Promise<void> {
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#rejectAll(new Error(`the thread of vCPU ${this.id} failed: ${event.message}`));
    };
    const control = this.#control;
    const { thread, fd } = await this.#ask((ticket) => ({
      kind: "create",
      ticket,
      vm,
      id: this.id,
      runSize,
      control,
    })) as { thread: number; fd: number };
    this.#thread = thread;
    this.#run = Mapping.ofFd(fd, runSize);
  }

  #send(request: Request): void {
    this.#worker.postMessage(request);
  }

  #ask(request: (ticket: number) => Request): Promise<unknown> {
    const own = ++ticket;
    return new Promise((resolve, reject) => {
      this.#pending.set(own, { resolve, reject });
      try {
        this.#send(request(own));
      } catch (error) {
        this.#pending.delete(own);
        // Functions and symbols cannot be sent to a thread, nor what was transferred already.
        reject(new ArgumentError(`an argument cannot be sent: ${(error as Error).message}`));
      }
    });
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.ticket);
    this.#pending.delete(reply.ticket);
    if (reply.kind === "result") pending?.resolve(reply.result);
    else pending?.reject(reviveError(reply.error));
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  /**
   * Calls a method of the {@link Vcpu} in its thread.
   *
   * @throws {KvmError} and what else the method throws.
   * @throws {ArgumentError} when there is no such method, or an argument cannot be sent.
   * @throws {DisposedError} after disposal, also when it happens while the call is under way.
   */
  call<M extends VcpuMethod>(
    method: M,
    ...args: Parameters<Vcpu[M]>
  ): Promise<ReturnType<Vcpu[M]>> {
    return this.#call(method, args) as Promise<ReturnType<Vcpu[M]>>;
  }

  /**
   * Enters the guest in its thread and tells why it came back (KVM_RUN, KVM API 4.10).
   *
   * @param deadline milliseconds after which the exit is `intr` with the cause `"deadline"`; a
   * guest that does not return otherwise runs until {@link kick} or disposal
   * @throws {KvmError} as {@link Vcpu.run}.
   * @throws {DisposedError} after disposal, also when it happens while the guest runs.
   */
  run(deadline?: number): Promise<Exit> {
    return this.#call("run", [], deadline) as Promise<Exit>;
  }

  #call(method: VcpuMethod, args: readonly unknown[], deadline?: number): Promise<unknown> {
    if (this.#disposed) return Promise.reject(new DisposedError("VcpuThread"));
    return this.#ask((ticket) => ({ kind: "call", ticket, method, args, deadline }));
  }

  /**
   * Makes the current or the next {@link run} return `intr`, exactly once.
   *
   * @throws {DisposedError} after disposal.
   */
  kick(): void {
    if (this.#disposed) throw new DisposedError("VcpuThread");
    act(this.#observed, "kick", [this.id], () => kickThread(this.#thread));
  }

  /**
   * Sets `immediate_exit` (KVM API 5) while the vCPU's thread does what it does.
   *
   * @throws {DisposedError} after disposal.
   */
  setImmediateExit(on: boolean): void {
    if (this.#disposed) throw new DisposedError("VcpuThread");
    act(this.#observed, "immediate-exit", [on ? 1 : 0], () => {
      this.#run!.view.setUint8(kvm_run.fields.immediate_exit[0], on ? 1 : 0);
    });
  }

  /** Stops the thread, in the guest or not, closes the vCPU and waits until that is done. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    // Terminating a Worker does not free a thread that is inside KVM_RUN: stop it, kick it, wait.
    // The kick goes first: a thread that is told to stop may end before it, and cannot be kicked.
    Atomics.store(this.#control, STOPPING, 1);
    kickThread(this.#thread);
    this.#send({ kind: "stop" });
    const closed = Atomics.wait(this.#control, CLOSED, 0, CLOSE_TIMEOUT) !== "timed-out";
    if (closed) this.#pool.giveBack(this.#worker);
    else this.#worker.terminate();
    this.#run?.[Symbol.dispose]();
    this.#rejectAll(new DisposedError("VcpuThread"));
  }
}
