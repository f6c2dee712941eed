/** A vCPU's state as KVM's own bytes, got and set in the order that KVM needs. */
import { constants } from "../../ffi/abi/constants.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { kvm_lapic_state } from "../../ffi/abi/interrupts.ts";
import {
  kvm_debugregs,
  kvm_mp_state,
  kvm_nested_state,
  kvm_regs,
  kvm_sregs,
  kvm_sregs2,
  kvm_vcpu_events,
  kvm_xcrs,
} from "../../ffi/abi/registers.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { kvm_run } from "../../ffi/abi/run.ts";
import { type Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import type { GuestDebug } from "./guest_debug.ts";
import { CPUID_BYTES, keptCpuid } from "./cpuid_buffer.ts";
import { ioctlBuffer } from "./ioctl.ts";
import {
  type Base64,
  hexadecimal,
  type SavedCapability,
  type SavedGuestDebug,
  type SavedVcpu,
  withoutUndefined,
} from "./saved_state.ts";
import { hasTscOffset, type ReadableMsrs, saveMsrs } from "./saved_msrs.ts";
import type { VcpuControl } from "./vcpu_control.ts";
import {
  type EnabledCapability,
  hasKernelApic,
  type StateFeatures,
  type VmConfiguration,
} from "./vm_configuration.ts";

/** A vCPU, and what a save needs to know of it. */
export interface VcpuParts {
  readonly vcpu: VcpuControl & { readonly id: number };
  readonly fd: FileDescriptor;
  readonly shared: Mapping;
  readonly features: StateFeatures;
  /** What was made of its VM. */
  readonly configuration: VmConfiguration;
  /** The MSRs that it has, once they are known. */
  msrs?: ReadableMsrs;
  /** Whether it has KVM_VCPU_TSC_OFFSET, once that is known. */
  tscOffset?: boolean;
}

const scratch = new Map<number, Uint8Array<ArrayBuffer>>();

/** A buffer of a size, made once: what it holds is used before the next ioctl. */
export function scratchBytes(size: number): Uint8Array<ArrayBuffer> {
  let bytes = scratch.get(size);
  if (bytes === undefined) scratch.set(size, bytes = new Uint8Array(new ArrayBuffer(size)));
  return bytes;
}

function get(fd: FileDescriptor, name: IoctlName, size: number): Base64 {
  const bytes = scratchBytes(size);
  ioctlBuffer(fd, name, bytes);
  return bytes.toBase64();
}

/**
 * Gets all state of a vCPU whose pending I/O is complete. What a getter may change comes first: the
 * multiprocessing state takes startup IPIs, and the events come last, when nothing moves any more.
 */
export function saveVcpu(parts: VcpuParts): SavedVcpu {
  const { vcpu, fd, shared, features, configuration } = parts;
  const saved: Writable<SavedVcpu> = {
    id: vcpu.id,
    configuration: saveConfiguration(parts),
    shared: shared.bytes.subarray(0, kvm_run.size).toBase64(),
    cpuid: "",
    xsave: "",
    regs: "",
    msrs: [],
    debugRegs: "",
    events: "",
  };
  if (hasRing(parts)) saved.coalescedRing = ringOf(shared).toBase64();
  // Xen's timer, where it has run out, delivers its event now.
  const xen = vcpu.xen.save(configuration.xen !== undefined);
  if (xen !== undefined) saved.xen = xen;
  if (features.mpState) saved.mpState = get(fd, "KVM_GET_MP_STATE", kvm_mp_state.size);
  saved.regs = get(fd, "KVM_GET_REGS", kvm_regs.size);
  if (features.sregs2) saved.sregs2 = get(fd, "KVM_GET_SREGS2", kvm_sregs2.size);
  else saved.sregs = get(fd, "KVM_GET_SREGS", kvm_sregs.size);
  saved.xsave = saveXsave(parts);
  if (features.xcrs) saved.xcrs = get(fd, "KVM_GET_XCRS", kvm_xcrs.size);
  saved.debugRegs = get(fd, "KVM_GET_DEBUGREGS", kvm_debugregs.size);
  if (hasKernelApic(configuration)) saved.lapic = get(fd, "KVM_GET_LAPIC", kvm_lapic_state.size);
  if (features.nestedState > 0) saved.nestedState = saveNestedState(parts);
  saved.cpuid = saveCpuid(fd);
  saved.msrs = saveMsrs(parts, saved.cpuid);
  if (hasTscOffset(parts)) saved.tscOffset = hexadecimal(vcpu.tscOffset());
  if (features.tscKhz) saved.tscKhz = vcpu.tscKhz();
  saved.events = get(fd, "KVM_GET_VCPU_EVENTS", kvm_vcpu_events.size);
  return saved;
}

/** A value while it is made. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The ring that a VM's vCPUs share, where KVM has one. */
export function ringOf({ bytes }: Mapping): Uint8Array<ArrayBuffer> {
  const start = constants.KVM_COALESCED_MMIO_PAGE_OFFSET * PAGE_SIZE;
  return bytes.subarray(start, start + PAGE_SIZE);
}

function hasRing({ shared, configuration }: VcpuParts): boolean {
  return configuration.coalesced.length > 0 && ringOf(shared).length > 0;
}

function saveXsave({ vcpu, fd }: VcpuParts): Base64 {
  const size = vcpu.xsaveSize();
  const bytes = scratchBytes(size);
  ioctlBuffer(fd, vcpu.hasXsave2() ? "KVM_GET_XSAVE2" : "KVM_GET_XSAVE", bytes);
  let end = size;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end).toBase64();
}

function saveConfiguration({ vcpu: { configuration } }: VcpuParts): SavedVcpu["configuration"] {
  const { capabilities, mcgCap, tprAccessReporting, vapicAddress, guestDebug } = configuration;
  return withoutUndefined({
    capabilities: capabilities?.map(savedCapability),
    mcgCap: mcgCap === undefined ? undefined : hexadecimal(mcgCap),
    tprAccessReporting,
    vapicAddress: vapicAddress === undefined ? undefined : hexadecimal(vapicAddress),
    guestDebug: guestDebug && savedGuestDebug(guestDebug),
  });
}

function savedGuestDebug({ hardwareBreakpoints, ...rest }: GuestDebug): SavedGuestDebug {
  if (hardwareBreakpoints === undefined) return rest;
  const { addresses, dr7 } = hardwareBreakpoints;
  return {
    ...rest,
    hardwareBreakpoints: { addresses: addresses.map(hexadecimal), dr7: hexadecimal(dr7) },
  };
}

/** A capability as it is saved. */
export function savedCapability({ name, args }: EnabledCapability): SavedCapability {
  return [name, ...args.map(hexadecimal)];
}

function saveCpuid(fd: FileDescriptor): Base64 {
  const bytes = scratchBytes(CPUID_BYTES);
  return keptCpuid(bytes, () => ioctlBuffer(fd, "KVM_GET_CPUID2", bytes)).toBase64();
}

function saveNestedState({ fd, features }: VcpuParts): Base64 {
  const bytes = scratchBytes(Math.max(features.nestedState, kvm_nested_state.size));
  const view = new DataView(bytes.buffer);
  const at = kvm_nested_state.fields.size[0];
  bytes.fill(0);
  view.setUint32(at, bytes.length, true);
  ioctlBuffer(fd, "KVM_GET_NESTED_STATE", bytes);
  return bytes.subarray(0, view.getUint32(at, true)).toBase64();
}
