import { asm, defineCases, Kvm } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { freshVm } from "../_fresh.ts";

/** KVM_X86_QUIRK_STUFF_FEATURE_MSRS. */
const QUIRK = 0x100;
const [UCODE_REV, PLATFORM_INFO, ARCH_CAPABILITIES, PERF_CAPABILITIES] = [0x8b, 0xce, 0x10a, 0x345];
/** CPUID faulting, of MSR_PLATFORM_INFO. */
const FAULTING = 0x80000000n;

interface Row {
  readonly disabled: boolean;
  readonly indices: readonly number[];
}

const rows: Record<string, Row> = {
  "default": { disabled: false, indices: [ARCH_CAPABILITIES, PERF_CAPABILITIES, PLATFORM_INFO] },
  "disabled": {
    disabled: true,
    indices: [UCODE_REV, PLATFORM_INFO, ARCH_CAPABILITIES, PERF_CAPABILITIES],
  },
};

/** The MSRs that tell of features begin with all that KVM supports, or with nothing. */
export default defineCases("quirk/feature-msrs", rows, ({ disabled, indices }) => ({
  spec: [
    "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_STUFF_FEATURE_MSRS)",
    "KVM API 4.18: KVM_GET_MSRS of the system",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_GET_MSR_FEATURES",
    { parameter: "kvm.ignore_msrs", value: "N" },
    { capability: "KVM_CAP_DISABLE_QUIRKS2", atLeast: QUIRK },
  ],
  guest: asm`hlt`,
  drive: ({ assertEquals }) => {
    using kvm = Kvm.open();
    using vm = freshVm({ note: () => {} });
    if (disabled) vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", QUIRK);
    const vcpu = vm.createVcpu();
    // An MSR that the guest has not got may read as 0.
    vcpu.setCpuid(offered());
    for (const index of indices) {
      const expected = disabled
        ? 0n
        : index === PLATFORM_INFO
        ? FAULTING
        : kvm.featureMsrs([index])[0]?.data;
      // One that the system does not tell of has no value of which anything is promised.
      if (expected === undefined) continue;
      assertEquals(`MSR 0x${index.toString(16)}`, vcpu.msrs([index])[0]?.data, expected);
    }
  },
  trace: `hlt`,
}));
