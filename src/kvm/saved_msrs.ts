/** Which MSRs are a vCPU's state, and in which order they are set. */
import { kvm_msr_entry, kvm_msrs } from "../../ffi/abi/registers.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { Base64 } from "./saved_state.ts";
import type { VcpuParts } from "./vcpu_save.ts";

/** MSR that {@link SavedVcpu.tscOffset} stands for. */
const MSR_IA32_TSC = 0x10;
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
/**
 * What else KVM keeps and does not list, or not on every host: TSC_AUX where only the guest has
 * RDTSCP, VM_CR of a guest that has SVM, the errata that the host works around for it, and the hash of
 * the key that launches enclaves.
 */
const UNLISTED: readonly number[] = [
  ...[0xc0000103, 0xc0010114, 0xc0010140, 0xc0010141],
  ...[0x8c, 0x8d, 0x8e, 0x8f],
];
/** Hyper-V's interrupt controller, of which KVM lists SCONTROL: version, pages, sources, timers. */
const HYPERV_SYNIC: readonly number[] = [
  ...[0x40000081, 0x40000082, 0x40000083],
  ...Array.from({ length: 16 }, (_, at) => 0x40000090 + at),
  ...Array.from({ length: 8 }, (_, at) => 0x400000b0 + at),
];
/** The most MSRs of one ioctl (MAX_IO_MSRS is one more). */
const MSR_LIMIT = 255;

/** Whether a vCPU has KVM_VCPU_TSC_OFFSET, asked once. */
export function hasTscOffset(parts: VcpuParts): boolean {
  return parts.tscOffset ??= parts.vcpu.hasTscOffset();
}

/** The arguments of KVM_GET_MSRS that read every MSR there is, and what they were found for. */
export interface ReadableMsrs {
  readonly lists: readonly DataView<ArrayBuffer>[];
  /** What of the list can be read depends on the vCPU's CPUID, capabilities and banks. */
  readonly of: string;
}

/**
 * The MSRs of a vCPU, as structures of as many as one ioctl takes.
 *
 * @param cpuid the leaves of the vCPU
 */
export function saveMsrs(parts: VcpuParts, cpuid: Base64): Base64[] {
  const { fd, vcpu: { configuration: { capabilities = [], mcgCap } } } = parts;
  const of = `${capabilities.length} ${mcgCap} ${cpuid}`;
  const known = parts.msrs?.of === of &&
    parts.msrs.lists.every((list) => ioctlBuffer(fd, "KVM_GET_MSRS", list) === countOf(list));
  if (!known) parts.msrs = { of, lists: readableMsrs(parts) };
  return parts.msrs!.lists.map((list) => new Uint8Array(list.buffer).toBase64());
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
    ...UNLISTED,
    ...Array.from({ length: 4 * banks }, (_, at) => MSR_IA32_MC0_CTL + at),
    ...Array.from({ length: interrupts }, (_, at) => MSR_IA32_MC0_CTL2 + at),
    ...(hasSynic(parts) ? HYPERV_SYNIC : []),
  ]);
  if (hasTscOffset(parts)) all.delete(MSR_IA32_TSC);
  // A write of Xen's MSR fills the guest's hypercall page, also where it is the host's.
  all.delete(parts.configuration.xen?.config?.msr ?? 0);
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
