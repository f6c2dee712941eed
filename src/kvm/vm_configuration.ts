/** What a host made of a VM that KVM cannot be asked for again. */
import { capabilities, type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { kvm_enable_cap } from "../../ffi/abi/control.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { CoalescedZone } from "./coalesced.ts";
import type { AttributeRange } from "./memory_attributes.ts";
import type { Route } from "./routing.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import type { MsrFilter } from "./msr_filter.ts";
import type { PmuEventFilter } from "./pmu_event_filter.ts";
import type { XenConfiguration } from "./xen.ts";

/** A capability that was enabled. */
export interface EnabledCapability {
  readonly name: CapabilityName;
  /** Up to four 64-bit arguments. */
  readonly args: readonly (number | bigint)[];
}

/** What was set of a VM and cannot be read back. */
export interface VmConfiguration {
  /** The type it was made with. */
  readonly type: number;
  /** In the order in which they were enabled. */
  readonly capabilities: EnabledCapability[];
  /** {@link Vm.setTssAddress}. */
  tssAddress?: bigint;
  /** {@link Vm.setIdentityMapAddress}. */
  identityMapAddress?: bigint;
  /** {@link Vm.setBootCpuId}. */
  bootCpuId?: number;
  /** Whether the whole interrupt controller is in the kernel. */
  irqchip?: boolean;
  /** The flags that the PIT was made with. */
  pit?: number;
  /** {@link ChipState.setReinject}. */
  reinject?: boolean;
  /** {@link Interrupts.setRouting}. */
  routing?: readonly Route[];
  /** {@link Vm.setMsrFilter}. */
  msrFilter?: MsrFilter;
  /** {@link Vm.setPmuEventFilter}. */
  pmuEventFilter?: PmuEventFilter;
  /** {@link Vm.setTscKhz}: kHz. */
  tscKhz?: number;
  /** {@link Vm.setMmuPages}. */
  mmuPages?: bigint;
  /** {@link GuestMemory.setAttributes}. */
  attributes?: readonly AttributeRange[];
  /** {@link Vm.xen}, from its first use on. */
  xen?: XenConfiguration;
  /** {@link IoEvents.coalesce}. */
  coalesced: CoalescedZone[];
}

/** Nothing set yet. */
export function newConfiguration(type: number): VmConfiguration {
  return { type, capabilities: [], coalesced: [] };
}

/** Whether a VM's local APICs are in the kernel. */
export function hasKernelApic({ irqchip, capabilities }: VmConfiguration): boolean {
  return irqchip === true || capabilities.some(({ name }) => name === "KVM_CAP_SPLIT_IRQCHIP");
}

/** What this host's KVM can save of a VM. */
export interface StateFeatures {
  /** Bytes of the area that a vCPU shares with KVM. */
  readonly sharedSize: number;
  /** KVM_GET_MSR_INDEX_LIST. */
  readonly msrIndices: readonly number[];
  readonly mpState: boolean;
  readonly sregs2: boolean;
  readonly xcrs: boolean;
  readonly tscKhz: boolean;
  /** Bytes of `struct kvm_nested_state`, 0 for none. */
  readonly nestedState: number;
  readonly exceptionPayload: boolean;
  readonly tripleFaultEvent: boolean;
}

/** Asks `/dev/kvm` what can be saved. */
export function stateFeatures(
  kvm: FileDescriptor,
  sharedSize: number,
  msrIndices: readonly number[],
): StateFeatures {
  const ask = (name: CapabilityName) => ioctlValue(kvm, "KVM_CHECK_EXTENSION", capabilities[name]);
  return {
    sharedSize,
    msrIndices,
    mpState: ask("KVM_CAP_MP_STATE") > 0,
    sregs2: ask("KVM_CAP_SREGS2") > 0,
    xcrs: ask("KVM_CAP_XCRS") > 0,
    tscKhz: ask("KVM_CAP_GET_TSC_KHZ") > 0,
    nestedState: ask("KVM_CAP_NESTED_STATE"),
    exceptionPayload: ask("KVM_CAP_EXCEPTION_PAYLOAD") > 0,
    tripleFaultEvent: ask("KVM_CAP_X86_TRIPLE_FAULT_EVENT") > 0,
  };
}

const toggle = new DataView(new ArrayBuffer(kvm_enable_cap.size));

function switchCapability(vm: FileDescriptor, name: CapabilityName, on: boolean): void {
  toggle.setUint32(kvm_enable_cap.fields.cap[0], capabilities[name], true);
  toggle.setUint32(kvm_enable_cap.fields.args[0], on ? 1 : 0, true);
  ioctlBuffer(vm, "KVM_ENABLE_CAP", toggle, name);
}

/**
 * Does `body` while KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS know all there is: without
 * KVM_CAP_EXCEPTION_PAYLOAD a pending exception looks like one that is being injected, and without
 * KVM_CAP_X86_TRIPLE_FAULT_EVENT a triple fault does not show (KVM API 4.31).
 */
export function withWholeEvents<T>(
  vm: FileDescriptor,
  features: StateFeatures,
  configuration: VmConfiguration,
  body: () => T,
): T {
  const wanted = ([
    ["KVM_CAP_EXCEPTION_PAYLOAD", features.exceptionPayload],
    ["KVM_CAP_X86_TRIPLE_FAULT_EVENT", features.tripleFaultEvent],
  ] as const).filter(([name, has]) => has && !isOn(configuration, name)).map(([name]) => name);
  for (const name of wanted) switchCapability(vm, name, true);
  try {
    return body();
  } finally {
    for (const name of wanted) switchCapability(vm, name, false);
  }
}

function isOn({ capabilities }: VmConfiguration, name: CapabilityName): boolean {
  const last = capabilities.findLast((enabled) => enabled.name === name);
  return last !== undefined && BigInt(last.args[0] ?? 0) !== 0n;
}
