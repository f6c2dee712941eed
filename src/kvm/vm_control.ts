import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { integer, oneOf, unsigned32, unsigned64 } from "../../ffi/argument.ts";
import { kvm_create_device } from "../../ffi/abi/control.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_clock_data } from "../../ffi/abi/interrupts.ts";
import { decode, encode } from "../../ffi/abi/layout.ts";
import { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionObserver, type Observed } from "./action.ts";
import type { ClockData } from "./clock.ts";
import { Device } from "./device.ts";
import { enableCapability } from "./enable_capability.ts";
import { KvmError } from "./error.ts";
import { ioctlAddress, ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { type MsrFilter, msrFilterOperands, withMsrFilter } from "./msr_filter.ts";
import { encodePmuEventFilter, type PmuEventFilter } from "./pmu_event_filter.ts";
import { Statistics } from "./statistics.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** What a host does to a VM as a whole: capabilities, clocks, filters, addresses, devices. */
export class VmControl implements Observed {
  readonly #fd: FileDescriptor;
  readonly #configuration: VmConfiguration;
  /** Called with everything that the host does to this VM and its vCPUs from here on. */
  observer?: ActionObserver;

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#configuration = configuration;
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
    this.#configuration.mmuPages = count;
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
    this.#configuration.tscKhz = khz;
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
}
