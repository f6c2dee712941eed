import { ArgumentError, integer, object, shown } from "../../ffi/argument.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { Encryption } from "./encryption.ts";
import { HyperV } from "./hyperv.ts";
import { Interrupts } from "./interrupts.ts";
import { IoEvents } from "./io_events.ts";
import { GuestMemory } from "./memory.ts";
import { type SavedVm, SaveError } from "./saved_state.ts";
import { VmControl } from "./vm_control.ts";
import { Vcpu } from "./vcpu.ts";
import { VcpuThread } from "./vcpu_thread.ts";
import type { WorkerPool } from "./worker_pool.ts";
import {
  newConfiguration,
  type StateFeatures,
  type VmConfiguration,
  withWholeEvents,
} from "./vm_configuration.ts";
import {
  restoreAttributes,
  restoreClock,
  restoreConfiguration,
  restoreDevices,
  restoreXen,
} from "./vm_restore.ts";
import { saveVm } from "./vm_save.ts";
import { Xen } from "./xen.ts";

/**
 * A virtual machine: the descriptor that KVM_CREATE_VM gives (KVM API 4.2).
 *
 * Disposal closes its vCPUs first, then the VM, then unmaps the memory that it owns.
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * const ram = vm.memory.addRam(0, 0x1000);
 * ram.bytes[0] = 0xf4; // HLT
 * using vcpu = vm.createVcpu();
 * const sregs = vcpu.sregs();
 * vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
 * vcpu.setRegs({ ...vcpu.regs(), rip: 0n });
 * console.log(vcpu.run().reason); // "hlt"
 * ```
 */
export class Vm extends VmControl implements Disposable {
  readonly #fd: FileDescriptor;
  readonly #features: StateFeatures;
  readonly #workers: WorkerPool;
  readonly #configuration: VmConfiguration;
  readonly #vcpus = new Set<Vcpu | VcpuThread>();
  /** Its guest physical memory. */
  readonly memory: GuestMemory;
  /** Its in-kernel interrupt controllers and timers. */
  readonly irq: Interrupts;
  /** Its port and memory accesses that signal an eventfd instead of exiting. */
  readonly events: IoEvents;
  /** What it does for a guest that takes it for Xen. */
  readonly xen: Xen;
  /** What it does for a guest that takes it for Hyper-V. */
  readonly hyperv: HyperV;
  /** Encryption of its memory, where its type has that. */
  readonly encryption: Encryption;

  /** Made by {@link Kvm.createVm}. */
  constructor(fd: FileDescriptor, features: StateFeatures, type: number, workers: WorkerPool) {
    const configuration = newConfiguration(type);
    super(fd, configuration);
    this.#fd = fd;
    this.#features = features;
    this.#workers = workers;
    this.#configuration = configuration;
    this.memory = new GuestMemory(fd, this, this.#configuration);
    this.irq = new Interrupts(fd, this, this.#configuration);
    this.events = new IoEvents(fd, this, this.#configuration);
    this.xen = new Xen(fd, this, this.#configuration);
    this.hyperv = new HyperV(fd, this);
    this.encryption = new Encryption(fd, this);
  }

  /**
   * Makes a vCPU that the calling thread runs (KVM_CREATE_VCPU, KVM API 4.7).
   *
   * @param id 0 up to what KVM_CAP_MAX_VCPU_ID answers; also its local APIC's id
   * @throws {KvmError} EEXIST when there is a vCPU of that id, EINVAL when it is out of range.
   * @throws {ArgumentError} when the id is not 31 bits.
   * @throws {DisposedError} after disposal.
   */
  createVcpu(id: number = 0): Vcpu {
    this.#fd.number;
    integer("the id of a vCPU", id, 0, 0x7fffffff);
    const { sharedSize } = this.#features;
    const vcpu = Vcpu.create(this.#fd, id, sharedSize, this, {
      features: this.#features,
      configuration: this.#configuration,
    });
    this.#vcpus.add(vcpu);
    return vcpu;
  }

  /**
   * Makes a vCPU in a thread of its own, a Worker, as KVM's API asks of a vCPU that runs beside
   * others.
   *
   * @param id 0 up to what KVM_CAP_MAX_VCPU_ID answers
   * @throws {KvmError} EEXIST when there is a vCPU of that id, EINVAL when it is out of range.
   * @throws {ArgumentError} when the id is not 31 bits.
   * @throws {DisposedError} after disposal.
   */
  async startVcpu(id: number): Promise<VcpuThread> {
    this.#fd.number;
    integer("the id of a vCPU", id, 0, 0x7fffffff);
    const { sharedSize } = this.#features;
    const thread = await VcpuThread.start(this.#fd, id, sharedSize, this, this.#workers);
    if (this.#fd.disposed) {
      thread[Symbol.dispose]();
      throw new DisposedError("Vm");
    }
    this.#vcpus.add(thread);
    return thread;
  }

  /**
   * The vCPU of an id, such as one of a restored VM.
   *
   * @throws {ArgumentError} when {@link createVcpu} has made none of it.
   * @throws {DisposedError} after disposal.
   */
  vcpu(id: number = 0): Vcpu {
    this.#fd.number;
    for (const vcpu of this.#inline()) if (vcpu.id === id) return vcpu;
    throw new ArgumentError(
      `there is no vCPU ${shown(id)} of this thread: make it with createVcpu(${shown(id)})`,
    );
  }

  /** The vCPUs of the calling thread that are not disposed. */
  #inline(): Vcpu[] {
    return [...this.#vcpus].filter((vcpu): vcpu is Vcpu => {
      return vcpu instanceof Vcpu && !vcpu.disposed;
    });
  }

  /**
   * All state of the VM as one plain value, for {@link Kvm.restore}: what the host set, the memory,
   * the devices, and each vCPU once its pending I/O is complete. It survives JSON.
   *
   * Eventfds and the dirty log are the host's own and not in it.
   *
   * @param options `contents`: whether the contents of memory are wanted; default true
   * @throws {SaveError} when a vCPU has a thread of its own or an exit that waits for an answer, or
   * a slot is backed by an address.
   * @throws {KvmError} when an ioctl fails.
   * @throws {DisposedError} after disposal.
   *
   * @example
   * ```ts
   * import { Kvm, type SavedVm } from "@trapline/trapline";
   *
   * using kvm = Kvm.open();
   * let saved: SavedVm;
   * {
   *   using vm = kvm.createVm();
   *   vm.memory.addRam(0, 0x1000).bytes[0] = 0xf4; // HLT
   *   const vcpu = vm.createVcpu();
   *   const sregs = vcpu.sregs();
   *   vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
   *   vcpu.setRegs({ ...vcpu.regs(), rip: 0n, rbx: 0x21n });
   *   saved = JSON.parse(JSON.stringify(vm.save()));
   * }
   * using vm = kvm.restore(saved);
   * console.log(vm.vcpu().run().reason, vm.vcpu().regs().rbx); // "hlt" 0x21n
   * ```
   */
  save(options: { contents?: boolean } = {}): SavedVm {
    this.#fd.number;
    const { contents = true } = object("the options", options);
    for (const vcpu of this.#vcpus) {
      if (!(vcpu instanceof VcpuThread)) continue;
      throw new SaveError(`vCPU ${vcpu.id} has a thread of its own: a VM is saved from one thread`);
    }
    const parts = {
      fd: this.#fd,
      configuration: this.#configuration,
      memory: this.memory,
      xen: this.xen,
    };
    return saveVm(parts, this.#inline().map((vcpu) => vcpu.save()), contents);
  }

  /**
   * Does `body` while {@link VcpuState.events} tells pending exceptions from injected ones and shows
   * a triple fault, also where the capabilities for it are off (KVM API 4.31).
   *
   * @throws {KvmError} when a capability cannot be switched.
   * @throws {ArgumentError} when it is given no function.
   * @throws {DisposedError} after disposal.
   */
  withWholeEvents<T>(body: () => T): T {
    if (typeof body !== "function") {
      throw new ArgumentError(`what is to be done is ${shown(body)}: give a function`);
    }
    return withWholeEvents(this.#fd, this.#features, this.#configuration, body);
  }

  /** Sets the state of a VM whose configuration, memory and vCPUs are there. */
  restoreState(saved: SavedVm): void {
    this.#fd.number;
    restoreAttributes(this, saved);
    const tscShift = restoreClock(this.#fd, saved);
    restoreXen(this, saved);
    for (const vcpu of saved.vcpus) this.vcpu(vcpu.id).restore(vcpu, tscShift);
    restoreDevices(this.#fd, saved);
  }

  /**
   * Saves the VM, destroys it and restores it into a new one that takes its place: this object, its
   * vCPUs, its memory and its eventfds go on as if nothing had happened. {@link Kvm.renew} is the
   * usual way.
   *
   * @param create makes a VM of a type and gives its descriptor
   * @param placeholder a descriptor that keeps the numbers while there is no VM
   * @throws {SaveError} as {@link save}.
   * @throws {KvmError} when an ioctl fails; the VM is not to be used then.
   */
  renew(create: (type: number) => number, placeholder: number): void {
    this.irq.quiesceEventFds();
    this.memory.carryDirtyLogs();
    const saved = this.save({ contents: false });
    const { observer } = this;
    this.observer = undefined;
    try {
      const vcpus = this.#inline();
      for (const vcpu of vcpus) vcpu.release(placeholder);
      // The last reference: from here on there is no VM.
      this.#fd.become(placeholder);
      using fresh = new FileDescriptor(create(saved.type), "Vm");
      this.#fd.become(fresh.number);
      this.#configuration.capabilities.length = 0;
      this.#configuration.coalesced = [];
      restoreConfiguration(this, saved);
      this.memory.renewSlots();
      for (const vcpu of vcpus) vcpu.renew();
      this.restoreState(saved);
      this.events.renewEventFds();
      this.irq.renewEventFds();
      this.hyperv.renewEventFds();
      this.xen.renewEventFds();
    } finally {
      this.observer = observer;
    }
  }

  /** Closes its vCPUs, then the VM, then unmaps the memory that it owns. */
  [Symbol.dispose](): void {
    for (const vcpu of this.#vcpus) vcpu[Symbol.dispose]();
    this.#vcpus.clear();
    this.#fd[Symbol.dispose]();
    this.events[Symbol.dispose]();
    this.memory[Symbol.dispose]();
  }
}
