/** A vCPU's state as KVM's own bytes, got and set in the order that KVM needs. */
import { constants } from "../../ffi/abi/constants.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { kvm_lapic_state } from "../../ffi/abi/interrupts.ts";
import {
  kvm_debugregs,
  kvm_mp_state,
  kvm_msr_entry,
  kvm_msrs,
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
import type { VcpuControl } from "./vcpu_control.ts";
import {
  type EnabledCapability,
  hasKernelApic,
  type StateFeatures,
  type VmConfiguration,
} from "./vm_configuration.ts";

/** MSR that {@link SavedVcpu.tscOffset} stands for. */
export const MSR_IA32_TSC = 0x10;
/** MSR that arms the timer of the local APIC: only once the APIC's own registers are there. */
const MSR_IA32_TSC_DEADLINE = 0x6e0;
/** How many machine-check banks there are, in bits 7:0, and whether they have interrupts. */
const MSR_IA32_MCG_CAP = 0x179;
const MCG_CMCI_P = 1n << 10n;
/** The first MSR of the machine-check banks, four of which each has, and one of interrupts. */
const MSR_IA32_MC0_CTL = 0x400;
const MSR_IA32_MC0_CTL2 = 0x280;
/** The MTRRs, which KVM keeps but does not list: pairs of base and mask, fixed ranges, the default. */
const MTRRS: readonly number[] = [
  ...Array.from({ length: 16 }, (_, at) => 0x200 + at),
  ...[0x250, 0x258, 0x259],
  ...Array.from({ length: 8 }, (_, at) => 0x268 + at),
  0x2ff,
];
/** Hyper-V's interrupt controller, of which KVM lists SCONTROL: pages, sources, timers. */
const HYPERV_SYNIC: readonly number[] = [
  ...[0x40000082, 0x40000083],
  ...Array.from({ length: 16 }, (_, at) => 0x40000090 + at),
  ...Array.from({ length: 8 }, (_, at) => 0x400000b0 + at),
];
/** The most MSRs of one ioctl (MAX_IO_MSRS is one more). */
const MSR_LIMIT = 255;

/** A vCPU, and what a save needs to know of it. */
export interface VcpuParts {
  readonly vcpu: VcpuControl & { readonly id: number };
  readonly fd: FileDescriptor;
  readonly shared: Mapping;
  readonly features: StateFeatures;
  /** What was made of its VM. */
  readonly configuration: VmConfiguration;
  /** The arguments of KVM_GET_MSRS that read every MSR there is, once they are known. */
  msrs?: DataView<ArrayBuffer>[];
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
  if (features.mpState) saved.mpState = get(fd, "KVM_GET_MP_STATE", kvm_mp_state.size);
  saved.regs = get(fd, "KVM_GET_REGS", kvm_regs.size);
  if (features.sregs2) saved.sregs2 = get(fd, "KVM_GET_SREGS2", kvm_sregs2.size);
  else saved.sregs = get(fd, "KVM_GET_SREGS", kvm_sregs.size);
  saved.xsave = saveXsave(parts);
  if (features.xcrs) saved.xcrs = get(fd, "KVM_GET_XCRS", kvm_xcrs.size);
  saved.debugRegs = get(fd, "KVM_GET_DEBUGREGS", kvm_debugregs.size);
  if (hasKernelApic(configuration)) saved.lapic = get(fd, "KVM_GET_LAPIC", kvm_lapic_state.size);
  if (features.nestedState > 0) saved.nestedState = saveNestedState(parts);
  saved.msrs = saveMsrs(parts);
  if (hasTscOffset(parts)) saved.tscOffset = hexadecimal(vcpu.tscOffset());
  if (features.tscKhz) saved.tscKhz = vcpu.tscKhz();
  saved.cpuid = saveCpuid(fd);
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

/** Whether a vCPU has KVM_VCPU_TSC_OFFSET, asked once. */
export function hasTscOffset(parts: VcpuParts): boolean {
  return parts.tscOffset ??= parts.vcpu.hasTscOffset();
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

function saveMsrs(parts: VcpuParts): Base64[] {
  const { fd } = parts;
  // What of the list can be read depends on the vCPU's CPUID.
  if (!parts.msrs?.every((list) => ioctlBuffer(fd, "KVM_GET_MSRS", list) === countOf(list))) {
    parts.msrs = readableMsrs(parts);
  }
  return parts.msrs.map((list) => new Uint8Array(list.buffer).toBase64());
}

function countOf(msrs: DataView): number {
  return msrs.getUint32(kvm_msrs.fields.nmsrs[0], true);
}

/** The MSRs to save, in the order in which they are set. */
function wantedMsrs(parts: VcpuParts): number[] {
  const [cap] = parts.vcpu.msrs([MSR_IA32_MCG_CAP]);
  const banks = Number((cap?.data ?? 0n) & 0xffn);
  const interrupts = ((cap?.data ?? 0n) & MCG_CMCI_P) === 0n ? 0 : banks;
  const all = new Set([
    ...parts.features.msrIndices,
    ...MTRRS,
    ...Array.from({ length: 4 * banks }, (_, at) => MSR_IA32_MC0_CTL + at),
    ...Array.from({ length: interrupts }, (_, at) => MSR_IA32_MC0_CTL2 + at),
    ...(hasSynic(parts) ? HYPERV_SYNIC : []),
  ]);
  if (hasTscOffset(parts)) all.delete(MSR_IA32_TSC);
  // The last to be set.
  if (all.delete(MSR_IA32_TSC_DEADLINE)) all.add(MSR_IA32_TSC_DEADLINE);
  return [...all];
}

function hasSynic({ vcpu: { configuration: { capabilities = [] } } }: VcpuParts): boolean {
  return capabilities.some(({ name }) => name.startsWith("KVM_CAP_HYPERV_SYNIC"));
}

/** Reads the MSRs to save, without those that cannot be read. */
function readableMsrs(parts: VcpuParts): DataView<ArrayBuffer>[] {
  const indices = wantedMsrs(parts);
  const lists: DataView<ArrayBuffer>[] = [];
  while (indices.length > 0) {
    const list = msrList(indices.slice(0, MSR_LIMIT));
    const count = ioctlBuffer(parts.fd, "KVM_GET_MSRS", list);
    if (count === countOf(list)) {
      lists.push(list);
      indices.splice(0, count);
    } else {
      indices.splice(count, 1);
    }
  }
  return lists;
}

function msrList(indices: readonly number[]): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(kvm_msrs.size + indices.length * kvm_msr_entry.size));
  view.setUint32(kvm_msrs.fields.nmsrs[0], indices.length, true);
  indices.forEach((index, position) => {
    view.setUint32(kvm_msrs.size + position * kvm_msr_entry.size, index, true);
  });
  return view;
}
