import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import {
  ArgumentError,
  integer,
  object,
  oneOf,
  shown,
  unsigned32,
  unsigned64,
} from "../../ffi/argument.ts";
import { kvm_create_device } from "../../ffi/abi/control.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_clock_data } from "../../ffi/abi/interrupts.ts";
import { decode, encode } from "../../ffi/abi/layout.ts";
import { DisposedError } from "../../ffi/disposed.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionObserver, type Observed } from "./action.ts";
import type { ClockData } from "./clock.ts";
import { Device } from "./device.ts";
import { enableCapability } from "./enable_capability.ts";
import { Encryption } from "./encryption.ts";
import { KvmError } from "./error.ts";
import { HyperV } from "./hyperv.ts";
import { Interrupts } from "./interrupts.ts";
import { ioctlAddress, ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { IoEvents } from "./io_events.ts";
import { GuestMemory } from "./memory.ts";
import { type MsrFilter, msrFilterOperands, withMsrFilter } from "./msr_filter.ts";
import { encodePmuEventFilter, type PmuEventFilter } from "./pmu_event_filter.ts";
import { type SavedVm, SaveError } from "./saved_state.ts";
import { Statistics } from "./statistics.ts";
import { Vcpu } from "./vcpu.ts";
import { VcpuThread } from "./vcpu_thread.ts";
import type { WorkerPool } from "./worker_pool.ts";
import {
  newConfiguration,
  type StateFeatures,
  type VmConfiguration,
  withWholeEvents,
} from "./vm_configuration.ts";
import { restoreClock, restoreConfiguration, restoreDevices } from "./vm_restore.ts";
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
export class Vm implements Disposable, Observed {
  readonly #fd: FileDescriptor;
  readonly #features: StateFeatures;
  readonly #workers: WorkerPool;
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
  /** What it does for a guest that takes it for Xen. */
  readonly xen: Xen;
  /** What it does for a guest that takes it for Hyper-V. */
  readonly hyperv: HyperV;
  /** Encryption of its memory, where its type has that. */
  readonly encryption: Encryption;

  /** Made by {@link Kvm.createVm}. */
  constructor(fd: FileDescriptor, features: StateFeatures, type: number, workers: WorkerPool) {
    this.#fd = fd;
    this.#features = features;
    this.#workers = workers;
    this.#configuration = newConfiguration(type);
    this.memory = new GuestMemory(fd, this, this.#configuration);
    this.irq = new Interrupts(fd, this, this.#configuration);
    this.events = new IoEvents(fd, this, this.#configuration);
    this.xen = new Xen(fd, this);
    this.hyperv = new HyperV(fd, this);
    this.encryption = new Encryption(fd, this);
  }

  /**
   * Asks this VM for a capability (KVM_CHECK_EXTENSION, KVM API 4.4).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {ArgumentError} when there is no capability of that name.
   * @throws {DisposedError} after disposal.
   */
  checkExtension(capability: CapabilityName): number {
    const number = capabilities[oneOf("the capability", capability, capabilities)];
    return ioctlValue(this.#fd, "KVM_CHECK_EXTENSION", number);
  }

  /**
   * Switches a capability on (KVM_ENABLE_CAP, KVM API 4.37 and 7).
   *
   * @param args up to four 64-bit arguments, as the capability's clause says
   * @throws {KvmError} EINVAL when KVM does not have it or an argument is wrong.
   * @throws {LayoutError} when there is no capability of that name, there are more than four
   * arguments, or one is not 64 bits.
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
   * @throws {ArgumentError} when there are more than 16 ranges, or one is not as it has to be.
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
   * 4.36): required on Intel hosts, harmless elsewhere.
   *
   * @param address guest physical, below 4 GiB, in no slot
   * @throws {KvmError} EINVAL when the address is too high.
   * @throws {ArgumentError} when it is not 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setTssAddress(address: number | bigint): void {
    ioctlAddress(this.#fd, "KVM_SET_TSS_ADDR", address);
    this.#configuration.tssAddress = BigInt(address);
  }

  /**
   * Says where KVM may put a page table that VMX without unrestricted guests needs
   * (KVM_SET_IDENTITY_MAP_ADDR, KVM API 4.40).
   *
   * @param address guest physical, below 4 GiB, in no slot; 0 is KVM's default, 0xfffbc000
   * @throws {KvmError} EINVAL once a vCPU was made.
   * @throws {ArgumentError} when it is not 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setIdentityMapAddress(address: number | bigint): void {
    const word = unsigned64("the address of the identity map", address);
    act(this, "identity-map", [word], () => {
      ioctlBuffer(this.#fd, "KVM_SET_IDENTITY_MAP_ADDR", new BigUint64Array([word]));
    });
    this.#configuration.identityMapAddress = word;
  }

  /**
   * Says which vCPU is the bootstrap processor (KVM_SET_BOOT_CPU_ID, KVM API 4.41); 0 unless it is
   * set.
   *
   * @param id of a vCPU to come
   * @throws {KvmError} EBUSY once a vCPU was made, EINVAL when the id is out of range.
   * @throws {ArgumentError} when it is not 31 bits.
   * @throws {DisposedError} after disposal.
   */
  setBootCpuId(id: number): void {
    integer("the id of the boot CPU", id, 0, 0x7fffffff);
    act(this, "boot-cpu", [id], () => ioctlValue(this.#fd, "KVM_SET_BOOT_CPU_ID", id));
    this.#configuration.bootCpuId = id;
  }

  /**
   * How many pages KVM may take for shadow page tables (KVM_GET_NR_MMU_PAGES), where KVM still has
   * that ioctl: Linux 6.3 dropped it.
   *
   * @throws {KvmError} EINVAL or ENOTTY where it is gone.
   * @throws {DisposedError} after disposal.
   */
  mmuPages(): number {
    return ioctlValue(this.#fd, "KVM_GET_NR_MMU_PAGES");
  }

  /**
   * Sets how many pages KVM may take for shadow page tables (KVM_SET_NR_MMU_PAGES;
   * KVM_CAP_MMU_SHADOW_CACHE_CONTROL).
   *
   * @param pages at least 64
   * @throws {KvmError} EINVAL for fewer.
   * @throws {ArgumentError} when it is not 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setMmuPages(pages: number | bigint): void {
    const count = unsigned64("the pages of the MMU", pages);
    act(this, "mmu-pages", [count], () => ioctlAddress(this.#fd, "KVM_SET_NR_MMU_PAGES", count));
  }

  /**
   * The VM's kvmclock (KVM_GET_CLOCK, KVM API 4.29).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  clock(): ClockData {
    const view = new DataView(new ArrayBuffer(kvm_clock_data.size));
    ioctlBuffer(this.#fd, "KVM_GET_CLOCK", view);
    return decode(kvm_clock_data, view);
  }

  /**
   * Sets the VM's kvmclock (KVM_SET_CLOCK, KVM API 4.30).
   *
   * @param data `{ clock }` alone sets it to that; with {@link CLOCK_REALTIME} what has passed since
   * `realtime` is added
   * @throws {KvmError} EINVAL for a flag that KVM_GET_CLOCK does not return.
   * @throws {LayoutError} when a number is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setClock(data: Pick<ClockData, "clock"> & Partial<ClockData>): void {
    const view = new DataView(new ArrayBuffer(kvm_clock_data.size));
    encode(kvm_clock_data, view, { flags: 0, realtime: 0n, host_tsc: 0n, ...data });
    act(this, "set-clock", [], () => ioctlBuffer(this.#fd, "KVM_SET_CLOCK", view));
  }

  /**
   * The TSC frequency that vCPUs to come start with, in kHz (KVM_GET_TSC_KHZ of a VM, KVM API 4.56;
   * KVM_CAP_VM_TSC_CONTROL).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  tscKhz(): number {
    return ioctlValue(this.#fd, "KVM_GET_TSC_KHZ");
  }

  /**
   * Sets the TSC frequency that vCPUs to come start with (KVM_SET_TSC_KHZ of a VM, KVM API 4.55;
   * KVM_CAP_VM_TSC_CONTROL).
   *
   * @param khz 0 is the host's
   * @throws {KvmError} EINVAL when the host cannot scale to it.
   * @throws {ArgumentError} when it is not 31 bits.
   * @throws {DisposedError} after disposal.
   */
  setTscKhz(khz: number): void {
    integer("a TSC frequency", khz, 0, 0x7fffffff);
    act(this, "set-tsc-khz", [khz], () => ioctlValue(this.#fd, "KVM_SET_TSC_KHZ", khz));
  }

  /**
   * Says which performance events the guest may count (KVM_SET_PMU_EVENT_FILTER, KVM API 4.120;
   * KVM_CAP_PMU_EVENT_FILTER).
   *
   * @throws {KvmError} EINVAL for an action, a flag or an event that is invalid, E2BIG for more than
   * 300 events.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal.
   */
  setPmuEventFilter(filter: PmuEventFilter): void {
    const view = encodePmuEventFilter(filter);
    act(this, "pmu-filter", [["events", filter.events.length]], () => {
      ioctlBuffer(this.#fd, "KVM_SET_PMU_EVENT_FILTER", view, `${filter.events.length} events`);
    });
    this.#configuration.pmuEventFilter = filter;
  }

  /**
   * Makes a device (KVM_CREATE_DEVICE, KVM API 4.79; KVM_CAP_DEVICE_CTRL).
   *
   * @param type KVM_DEV_TYPE_*; x86 has {@link DEVICE_TYPE_VFIO}
   * @throws {KvmError} ENODEV when KVM knows no such type, EEXIST when the VM has one already.
   * @throws {ArgumentError} when the type is not 32 bits.
   * @throws {DisposedError} after disposal.
   */
  createDevice(type: number): Device {
    return act(this, "device", [unsigned32("the type of a device", type)], () => {
      const fd = this.#device(type, 0);
      return new Device(new FileDescriptor(fd, "Device"), type, this);
    });
  }

  /**
   * Whether KVM knows a type of device (KVM_CREATE_DEVICE with KVM_CREATE_DEVICE_TEST, KVM API
   * 4.79).
   *
   * @throws {KvmError} when the ioctl fails with another errno than ENODEV.
   * @throws {ArgumentError} when the type is not 32 bits.
   * @throws {DisposedError} after disposal.
   */
  hasDeviceType(type: number): boolean {
    try {
      this.#device(unsigned32("the type of a device", type), constants.KVM_CREATE_DEVICE_TEST);
      return true;
    } catch (error) {
      if (error instanceof KvmError && error.code === "ENODEV") return false;
      throw error;
    }
  }

  #device(type: number, flags: number): number {
    const view = new DataView(new ArrayBuffer(kvm_create_device.size));
    encode(kvm_create_device, view, { type, fd: 0, flags });
    ioctlBuffer(this.#fd, "KVM_CREATE_DEVICE", view, `type ${type}`);
    return view.getUint32(kvm_create_device.fields.fd[0], true);
  }

  /**
   * Opens its statistics (KVM_GET_STATS_FD, KVM API 4.133; KVM_CAP_BINARY_STATS_FD).
   *
   * @throws {KvmError} ENOTTY where KVM has none, EMFILE when the process is out of descriptors.
   * @throws {SystemCallError} when the file cannot be read.
   * @throws {DisposedError} after disposal.
   */
  statistics(): Statistics {
    return Statistics.open(this.#fd);
  }

  /**
   * The file descriptor, for {@link ioctl}.
   *
   * @throws {DisposedError} after disposal.
   */
  get fd(): number {
    return this.#fd.number;
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
    const parts = { fd: this.#fd, configuration: this.#configuration, memory: this.memory };
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
