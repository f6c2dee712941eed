import type { Kvm, Requirement } from "../../mod.ts";

/** A list that the system gives, and how it is asked. */
export interface SystemList {
  /** Where it is documented. */
  readonly clause: string;
  /** Asks for it with so much room, or enough. */
  readonly read: (kvm: Kvm, room?: number) => readonly unknown[];
  /** Whether KVM writes back how many entries there are. */
  readonly counts: boolean;
  /** What the host must have. */
  readonly requires?: readonly Requirement[];
}

/** All of them. */
export const lists: Record<string, SystemList> = {
  "msr-index-list": {
    clause: "KVM API 4.3: KVM_GET_MSR_INDEX_LIST",
    read: (kvm, room) => kvm.msrIndexList(room),
    counts: true,
  },
  "msr-feature-index-list": {
    clause: "KVM API 4.3: KVM_GET_MSR_FEATURE_INDEX_LIST",
    read: (kvm, room) => kvm.msrFeatureIndexList(room),
    counts: true,
    requires: ["KVM_CAP_GET_MSR_FEATURES"],
  },
  "supported-cpuid": {
    clause: "KVM API 4.46: KVM_GET_SUPPORTED_CPUID",
    read: (kvm, room) => room === undefined ? kvm.supportedCpuid() : kvm.supportedCpuid(room),
    counts: false,
    requires: ["KVM_CAP_EXT_CPUID"],
  },
  "emulated-cpuid": {
    clause: "KVM API 4.88: KVM_GET_EMULATED_CPUID",
    read: (kvm, room) => kvm.emulatedCpuid(room),
    counts: false,
    requires: ["KVM_CAP_EXT_EMUL_CPUID"],
  },
  "supported-hyperv-cpuid": {
    clause: "KVM API 4.118: KVM_GET_SUPPORTED_HV_CPUID",
    read: (kvm, room) => kvm.supportedHypervCpuid(room),
    counts: false,
    requires: ["KVM_CAP_SYS_HYPERV_CPUID"],
  },
};
