import type { Row } from "./entry.ts";

/** The ioctls of `/dev/kvm`. */
export const systemIoctls: Record<string, Row> = {
  KVM_GET_API_VERSION: ["4.1", "Kvm.apiVersion", "system/api-version", "basic"],
  KVM_CREATE_VM: ["4.2", "Kvm.createVm", "system/create-vm*", "basic"],
  KVM_GET_MSR_INDEX_LIST: [
    "4.3",
    "Kvm.msrIndexList",
    "msr/index-list system/list-too-small~msr-index-list system/list-fits~msr-index-list",
    "basic",
  ],
  KVM_GET_MSR_FEATURE_INDEX_LIST: [
    "4.3",
    "Kvm.msrFeatureIndexList",
    "msr/feature-list system/list-too-small~msr-feature-index-list",
    "KVM_CAP_GET_MSR_FEATURES",
  ],
  KVM_CHECK_EXTENSION: [
    "4.4",
    "Kvm.checkExtension Vm.checkExtension",
    "system/check-extension",
    "basic",
  ],
  KVM_GET_VCPU_MMAP_SIZE: ["4.5", "Kvm.vcpuMmapSize", "system/api-version", "basic"],
  KVM_GET_SUPPORTED_CPUID: [
    "4.46",
    "Kvm.supportedCpuid",
    "system/list-too-small~supported-cpuid system/list-fits~supported-cpuid",
    "KVM_CAP_EXT_CPUID",
  ],
  KVM_GET_EMULATED_CPUID: [
    "4.88",
    "Kvm.emulatedCpuid",
    "system/emulated-cpuid system/list-too-small~emulated-cpuid",
    "KVM_CAP_EXT_EMUL_CPUID",
  ],
  KVM_X86_GET_MCE_CAP_SUPPORTED: [
    "4.104",
    "Kvm.mceCapSupported",
    "system/mce-capabilities",
    "KVM_CAP_MCE",
  ],
  KVM_GET_SUPPORTED_HV_CPUID: [
    "4.118",
    "Kvm.supportedHypervCpuid Vcpu.supportedHypervCpuid",
    "system/hyperv-cpuid* system/list-too-small~supported-hyperv-cpuid",
    "KVM_CAP_SYS_HYPERV_CPUID, KVM_CAP_HYPERV_CPUID",
  ],
};
