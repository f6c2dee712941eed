import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionObserver, type Observed } from "./action.ts";
import { enableCapability } from "./enable_capability.ts";
import { Interrupts } from "./interrupts.ts";
import { ioctlAddress, ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { IoEvents } from "./io_events.ts";
import { GuestMemory } from "./memory.ts";
import { type MsrFilter, msrFilterOperands, withMsrFilter } from "./msr_filter.ts";
import { type SavedVm, SaveError } from "./saved_state.ts";
import { Vcpu } from "./vcpu.ts";
import { VcpuThread } from "./vcpu_thread.ts";
import {
  newConfiguration,
  type StateFeatures,
  type VmConfiguration,
  withWholeEvents,
} from "./vm_configuration.ts";
import { restoreClock, restoreConfiguration, restoreDevices } from "./vm_restore.ts";
import { saveVm } from "./vm_save.ts";

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
export class Vm implements Disposable, Observed {
  readonly #fd: FileDescriptor;
  readonly #features: StateFeatures;
  readonly #configuration: VmConfiguration;
  readonly #vcpus = new Set<Vcpu | VcpuThread>();
  /** Called with everything that the host does to this VM and its vCPUs from here on. */
  observer?: ActionObserver;
  /** Its guest physical memory. */
  readonly memory: GuestMemory;
  /** Its in-kernel interrupt controllers and timers. */
  readonly irq: Interrupts;
  /** Its port and memory accesses that signal an eventfd instead of exiting. */
  readonly events: IoEvents;

  /** Made by {@link Kvm.createVm}. */
  constructor(fd: FileDescriptor, features: StateFeatures, type: number) {
    this.#fd = fd;
    this.#features = features;
    this.#configuration = newConfiguration(type);
    this.memory = new GuestMemory(fd, this, this.#configuration);
    this.irq = new Interrupts(fd, this, this.#configuration);
    this.events = new IoEvents(fd, this, this.#configuration);
  }

  /**
   * Asks this VM for a capability (KVM_CHECK_EXTENSION, KVM API 4.4).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  checkExtension(capability: CapabilityName): number {
    return ioctlValue(this.#fd, "KVM_CHECK_EXTENSION", capabilities[capability]);
  }

  /**
   * Switches a capability on (KVM_ENABLE_CAP, KVM API 4.37 and 7).
   *
   * @param args up to four 64-bit arguments, as the capability's clause says
   * @throws {KvmError} EINVAL when KVM does not have it or an argument is wrong.
   * @throws {DisposedError} after disposal.
   */
  enableCapability(capability: CapabilityName, ...args: (number | bigint)[]): void {
    enableCapability(this.#fd, this, capability, args);
    this.#configuration.capabilities.push({ name: capability, args });
  }

  /**
   * Says which MSRs the guest may read and write; a denied access is #GP, or an exit where
   * KVM_CAP_X86_USER_SPACE_MSR asks for it (KVM_X86_SET_MSR_FILTER, KVM API 4.97).
   *
   * @throws {KvmError} EINVAL when the default denies and no range is given, or a range has more
   * MSRs than 12288.
   * @throws {RangeError} when there are more than 16 ranges.
   * @throws {DisposedError} after disposal.
   *
   * @example
   * ```ts
   * import { Kvm } from "@trapline/trapline";
   *
   * using kvm = Kvm.open();
   * using vm = kvm.createVm();
   * // IA32_PAT (0x277) can be read and not written.
   * vm.setMsrFilter({ ranges: [{ access: "write", base: 0x277, count: 1, allowed: Uint8Array.of(0) }] });
   * ```
   */
  setMsrFilter(filter: MsrFilter): void {
    act(this, "msr-filter", msrFilterOperands(filter), () => {
      withMsrFilter(filter, (view) => ioctlBuffer(this.#fd, "KVM_X86_SET_MSR_FILTER", view));
    });
    this.#configuration.msrFilter = filter;
  }

  /**
   * Says where KVM may put three pages that VMX needs to run real mode (KVM_SET_TSS_ADDR, KVM API
   * 4.33): required on Intel hosts, harmless elsewhere.
   *
   * @param address guest physical, below 4 GiB, in no slot
   * @throws {KvmError} EINVAL when the address is too high.
   * @throws {DisposedError} after disposal.
   */
  setTssAddress(address: number | bigint): void {
    ioctlAddress(this.#fd, "KVM_SET_TSS_ADDR", BigInt(address));
    this.#configuration.tssAddress = BigInt(address);
  }

  /**
   * Makes a vCPU that the calling thread runs (KVM_CREATE_VCPU, KVM API 4.7).
   *
   * @param id 0 up to what KVM_CAP_MAX_VCPU_ID answers; also its local APIC's id
   * @throws {KvmError} EEXIST when there is a vCPU of that id, EINVAL when it is out of range.
   * @throws {DisposedError} after disposal.
   */
  createVcpu(id: number = 0): Vcpu {
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
   * @throws {DisposedError} after disposal.
   */
  async startVcpu(id: number): Promise<VcpuThread> {
    const thread = await VcpuThread.start(this.#fd, id, this.#features.sharedSize, this);
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
   * @throws {RangeError} when {@link createVcpu} has made none of it.
   */
  vcpu(id: number = 0): Vcpu {
    for (const vcpu of this.#inline()) if (vcpu.id === id) return vcpu;
    throw new RangeError(`there is no vCPU ${id} of this thread: make it with createVcpu(${id})`);
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
   * @param contents whether the contents of memory are wanted; default true
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
  save({ contents = true }: { contents?: boolean } = {}): SavedVm {
    this.#fd.number;
    for (const vcpu of this.#vcpus) {
      if (!(vcpu instanceof VcpuThread)) continue;
      throw new SaveError(`vCPU ${vcpu.id} has a thread of its own: a VM is saved from one thread`);
    }
    const parts = { fd: this.#fd, configuration: this.#configuration, memory: this.memory };
    return saveVm(parts, this.#inline().map((vcpu) => vcpu.save()), contents);
  }

  /**
   * Does `body` while {@link VcpuState.events} tells pending exceptions from injected ones and shows
   * a triple fault, also where the capabilities for it are off (KVM API 4.31).
   *
   * @throws {KvmError} when a capability cannot be switched.
   * @throws {DisposedError} after disposal.
   */
  withWholeEvents<T>(body: () => T): T {
    return withWholeEvents(this.#fd, this.#features, this.#configuration, body);
  }

  /** Sets the state of a VM whose configuration, memory and vCPUs are there. */
  restoreState(saved: SavedVm): void {
    const tscShift = restoreClock(this.#fd, saved);
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
