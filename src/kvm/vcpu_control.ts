import { type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { kvm_interrupt, kvm_tpr_access_ctl, kvm_vapic_addr } from "../../ffi/abi/interrupts.ts";
import { object, unsigned64 } from "../../ffi/argument.ts";
import { decode, encode } from "../../ffi/abi/layout.ts";
import { kvm_pre_fault_memory } from "../../ffi/abi/memory.ts";
import { kvm_x86_mce } from "../../ffi/abi/registers.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { CpuidEntry, MachineCheck } from "../x86/state.ts";
import { act, type Observed } from "./action.ts";
import { readCpuid } from "./cpuid_buffer.ts";
import { DirtyRing } from "./dirty_ring.ts";
import { enableCapability } from "./enable_capability.ts";
import {
  checkGuestDebug,
  encodeGuestDebug,
  type GuestDebug,
  guestDebugOperands,
} from "./guest_debug.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { scratchBuffer, setState } from "./state_ioctl.ts";
import { Statistics } from "./statistics.ts";
import { VcpuState } from "./vcpu_state.ts";
import { XenVcpu } from "./xen.ts";

/** What a host did to a vCPU that KVM cannot be asked for again. */
export interface VcpuConfiguration {
  /** What {@link VcpuControl.setGuestDebug} was given last. */
  guestDebug?: GuestDebug;
  /** Whether accesses to the TPR exit. */
  tprAccessReporting?: boolean;
  /** Guest physical address of the virtual APIC's page. */
  vapicAddress?: bigint;
  /** What {@link VcpuControl.setupMce} was given. */
  mcgCap?: bigint;
  /** Capabilities of the vCPU, in the order in which they were enabled. */
  capabilities?: { name: CapabilityName; args: readonly (number | bigint)[] }[];
}

/** A range of guest physical memory. */
export interface GuestRange {
  /** Guest physical. */
  readonly guestAddress: bigint;
  /** Bytes. */
  readonly size: bigint;
}

/** What a host does to a vCPU: interrupts, debugging, machine checks, capabilities. */
export class VcpuControl extends VcpuState {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  /** What was set and cannot be read back, for a save. */
  readonly configuration: VcpuConfiguration = {};
  /** The dirty rings that were mapped. */
  protected readonly rings: DirtyRing[] = [];
  /** What it has for a guest that takes KVM for Xen. */
  readonly xen: XenVcpu;

  /** Made by {@link Vcpu}. */
  constructor(vm: FileDescriptor, fd: FileDescriptor, observed: Observed) {
    super(vm, fd, observed);
    this.#fd = fd;
    this.#observed = observed;
    this.xen = new XenVcpu(fd, observed);
  }

  /**
   * Enqueues an external interrupt where the interrupt controller is not in the kernel
   * (KVM_INTERRUPT, KVM API 4.16).
   *
   * @param vector 0 to 255
   * @throws {KvmError} EEXIST when one is enqueued, EINVAL when the vector is too high, ENXIO with
   * an in-kernel interrupt controller.
   * @throws {LayoutError} when the vector is no unsigned integer of 32 bits.
   * @throws {DisposedError} after disposal.
   */
  interrupt(vector: number): void {
    act(this.#observed, "interrupt", [vector], () => {
      const view = scratchBuffer(kvm_interrupt);
      encode(kvm_interrupt, view, { irq: vector });
      ioctlBuffer(this.#fd, "KVM_INTERRUPT", view, `vector ${vector}`);
    });
  }

  /**
   * Enqueues an NMI (KVM_NMI, KVM API 4.64).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  nmi(): void {
    act(this.#observed, "nmi", [], () => ioctlValue(this.#fd, "KVM_NMI"));
  }

  /**
   * Enqueues a system-management interrupt (KVM_SMI, KVM API 4.96).
   *
   * @throws {KvmError} ENOTTY without KVM_CAP_X86_SMM.
   * @throws {DisposedError} after disposal.
   */
  smi(): void {
    act(this.#observed, "smi", [], () => ioctlValue(this.#fd, "KVM_SMI"));
  }

  /**
   * Sets what of the guest is debugged from here on (KVM_SET_GUEST_DEBUG, KVM API 4.87); nothing,
   * unless it says so.
   *
   * @throws {KvmError} EBUSY when it injects an exception and one waits already.
   * @throws {LayoutError} when there are more than four addresses, or one or DR7 is beyond 64 bits.
   * @throws {ArgumentError} when it, or a member of it, is of another kind.
   * @throws {DisposedError} after disposal.
   */
  setGuestDebug(debug: GuestDebug = {}): void {
    checkGuestDebug(debug);
    act(this.#observed, "guest-debug", guestDebugOperands(debug), () => {
      ioctlBuffer(this.#fd, "KVM_SET_GUEST_DEBUG", encodeGuestDebug(debug));
      const { inject: _, ...lasting } = debug;
      this.configuration.guestDebug = lasting;
    });
  }

  /**
   * Whether the guest's accesses to the local APIC's TPR exit with `tpr-access`
   * (KVM_TPR_ACCESS_REPORTING).
   *
   * @throws {KvmError} when the ioctl fails.
   * @throws {DisposedError} after disposal.
   */
  setTprAccessReporting(on: boolean): void {
    const value = { enabled: on ? 1 : 0, flags: 0 };
    setState(
      this.#fd,
      this.#observed,
      "tpr-access-reporting",
      "KVM_TPR_ACCESS_REPORTING",
      kvm_tpr_access_ctl,
      value,
      [value.enabled],
    );
    this.configuration.tprAccessReporting = on;
  }

  /**
   * Says where the guest's virtual APIC page lies, which KVM keeps the task priority in
   * (KVM_SET_VAPIC_ADDR); 0 for nowhere.
   *
   * @param address guest physical, 64 bits
   * @throws {KvmError} EINVAL without an in-kernel local APIC or where no slot backs the address.
   * @throws {LayoutError} when the address is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setVapicAddress(address: bigint): void {
    const value = { vapic_addr: address };
    setState(this.#fd, this.#observed, "vapic", "KVM_SET_VAPIC_ADDR", kvm_vapic_addr, value, [
      address,
    ]);
    this.configuration.vapicAddress = address;
  }

  /**
   * Makes the machine-check banks of a vCPU (KVM_X86_SETUP_MCE, KVM API 4.105).
   *
   * @param mcgCap IA32_MCG_CAP: bits 7:0 how many banks, and what
   * {@link https://docs.kernel.org/virt/kvm/api.html KVM_X86_GET_MCE_CAP_SUPPORTED} allows
   * @throws {KvmError} EINVAL for no or too many banks, or a bit that is not supported.
   * @throws {LayoutError} when it is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  setupMce(mcgCap: bigint): void {
    const layout = { size: 8, fields: { mcg_cap: [0, "u64"] } } as const;
    setState(this.#fd, this.#observed, "setup-mce", "KVM_X86_SETUP_MCE", layout, {
      mcg_cap: mcgCap,
    }, [mcgCap]);
    this.configuration.mcgCap = mcgCap;
  }

  /**
   * Raises a machine check (KVM_X86_SET_MCE, KVM API 4.106).
   *
   * @throws {KvmError} EINVAL when there is no such bank, or the status is not valid.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal.
   */
  setMce(check: MachineCheck): void {
    const { bank } = object("the machine check", check);
    setState(this.#fd, this.#observed, "set-mce", "KVM_X86_SET_MCE", kvm_x86_mce, check, [
      bank,
    ]);
  }

  /**
   * Tells the guest, through its kvmclock, that the host has paused it (KVM_KVMCLOCK_CTRL, KVM API
   * 4.70).
   *
   * @throws {KvmError} EINVAL when the guest uses no kvmclock.
   * @throws {DisposedError} after disposal.
   */
  kvmclockControl(): void {
    act(this.#observed, "kvmclock-ctrl", [], () => ioctlValue(this.#fd, "KVM_KVMCLOCK_CTRL"));
  }

  /**
   * Switches a capability of the vCPU on (KVM_ENABLE_CAP, KVM API 4.37 and 6).
   *
   * @param args up to four 64-bit arguments, as the capability's clause says
   * @throws {KvmError} EINVAL when it is no capability of a vCPU or an argument is wrong.
   * @throws {LayoutError} when there are more than four arguments, or one is beyond 64 bits.
   * @throws {DisposedError} after disposal.
   */
  enableCapability(capability: CapabilityName, ...args: (number | bigint)[]): void {
    enableCapability(this.#fd, this.#observed, capability, args);
    (this.configuration.capabilities ??= []).push({ name: capability, args });
  }

  /**
   * Maps guest memory ahead of its use, as a read of the guest's would (KVM_PRE_FAULT_MEMORY, KVM
   * API 4.143; KVM_CAP_PRE_FAULT_MEMORY).
   *
   * @param guestAddress guest physical; a multiple of 4096
   * @param size bytes; a multiple of 4096
   * @param flags 0; none is defined
   * @returns what is left of the range: ask again while its size is above 0
   * @throws {KvmError} EINVAL for a bad range or flags, ENOENT when it starts in no slot, EOPNOTSUPP
   * where this MMU cannot, and others of the API document.
   * @throws {ArgumentError} when a number is not 64 bits.
   * @throws {DisposedError} after disposal.
   */
  preFault(
    guestAddress: bigint | number,
    size: bigint | number,
    flags: bigint | number = 0,
  ): GuestRange {
    const view = new DataView(new ArrayBuffer(kvm_pre_fault_memory.size));
    const gpa = unsigned64("the address of a range", guestAddress);
    const bytes = unsigned64("the size of a range", size);
    encode(kvm_pre_fault_memory, view, { gpa, size: bytes, flags: unsigned64("the flags", flags) });
    return act(this.#observed, "pre-fault", [["gpa", gpa], ["size", bytes]], () => {
      ioctlBuffer(this.#fd, "KVM_PRE_FAULT_MEMORY", view, `0x${gpa.toString(16)}`);
      const left = decode(kvm_pre_fault_memory, view);
      return { guestAddress: left.gpa, size: left.size };
    });
  }

  /**
   * Maps the ring in which KVM notes the pages that this vCPU writes (KVM_CAP_DIRTY_LOG_RING, KVM
   * API 8.29).
   *
   * @param size bytes, as KVM_CAP_DIRTY_LOG_RING was enabled with
   * @throws {ArgumentError} when the size is not a positive multiple of 4096.
   * @throws {SystemCallError} EINVAL when the ring is not of that size, or is not there.
   * @throws {DisposedError} after disposal.
   */
  dirtyRing(size: number): DirtyRing {
    const ring = new DirtyRing(this.#fd.number, size);
    this.rings.push(ring);
    return ring;
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
   * The CPUID leaves of Hyper-V's interface that this vCPU may be given
   * (KVM_GET_SUPPORTED_HV_CPUID, KVM API 4.118; KVM_CAP_HYPERV_CPUID).
   *
   * @param room how many leaves there is room for
   * @throws {KvmError} E2BIG when the room is too small, EINVAL when KVM has no such interface.
   * @throws {ArgumentError} when the room is not 0 to 65535.
   * @throws {DisposedError} after disposal.
   */
  supportedHypervCpuid(room?: number): readonly CpuidEntry[] {
    return readCpuid(this.#fd, "KVM_GET_SUPPORTED_HV_CPUID", room);
  }
}
