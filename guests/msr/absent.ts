import { type CpuidEntry, defineCases } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { msrSteps } from "./_access.ts";

/** An MSR of a feature, and the leaf, register and bits of CPUID that would show the feature. */
type Row = readonly [
  index: number,
  leaf: number,
  register: "eax" | "ebx" | "ecx" | "edx",
  bits: number,
];

const [VMX, SGX, TRACE, SHADOW] = [1 << 5, 1 << 2, 1 << 25, 1 << 7];

const rows: Record<string, Row> = {
  "user-wait-control": [0xe1, 7, "ecx", 1 << 5],
  "bounds-configuration": [0xd90, 7, "ebx", 1 << 14],
  "enclave-key-hash-0": [0x8c, 7, "ebx", SGX],
  "enclave-key-hash-3": [0x8f, 7, "ebx", SGX],
  "enclave-owner-0": [0x300, 7, "ebx", SGX],
  "trace-control": [0x570, 7, "ebx", TRACE],
  "trace-status": [0x571, 7, "ebx", TRACE],
  "trace-cr3-match": [0x572, 7, "ebx", TRACE],
  "trace-output-base": [0x560, 7, "ebx", TRACE],
  "trace-output-mask": [0x561, 7, "ebx", TRACE],
  "trace-address-0": [0x580, 7, "ebx", TRACE],
  "trace-address-7": [0x587, 7, "ebx", TRACE],
  "vmx-basic": [0x480, 1, "ecx", VMX],
  "vmx-processor-based-controls": [0x482, 1, "ecx", VMX],
  "vmx-miscellaneous": [0x485, 1, "ecx", VMX],
  "vmx-secondary-controls": [0x48b, 1, "ecx", VMX],
  "vmx-ept-vpid": [0x48c, 1, "ecx", VMX],
  "vmx-true-entry-controls": [0x490, 1, "ecx", VMX],
  "vmx-functions": [0x491, 1, "ecx", VMX],
  "user-shadow-stack": [0x6a0, 7, "ecx", SHADOW],
  "supervisor-shadow-stack": [0x6a2, 7, "ecx", SHADOW],
  "shadow-stack-0": [0x6a4, 7, "ecx", SHADOW],
  "shadow-stack-table": [0x6a8, 7, "ecx", SHADOW],
  "user-interrupt-handler": [0x986, 7, "edx", 1 << 5],
  "protection-keys-supervisor": [0x6e1, 7, "ecx", 1 << 31],
  "fixed-counter-control": [0x38d, 0xa, "eax", 0xff],
  "global-counter-status": [0x38e, 0xa, "eax", 0xff],
  "global-counter-control": [0x38f, 0xa, "eax", 0xff],
  "fixed-counter-2": [0x30b, 0xa, "eax", 0xff],
};

/** No feature in CPUID, no MSR: RDMSR is a #GP(0), and WRMSR is, whatever it writes. */
export default defineCases("msr/absent", rows, ([index, leaf, register, bits]) => ({
  spec: [
    "SDM 4 2: model-specific registers (with the CPUID bit that each comes with)",
    "SDM 2B: RDMSR (#GP(0)); SDM 2C: WRMSR (#GP(0))",
    "KVM API 4.20: KVM_SET_CPUID2",
  ],
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(
    index,
    [
      { fault: true },
      { write: 0n, fault: true },
      { write: 1n, fault: true },
      { write: 0x1000n, fault: true },
    ],
    "",
    "> set-cpuid",
  ),
  drive: ({ vcpu }) =>
    vcpu.setCpuid(
      offered((entry: CpuidEntry) =>
        entry.function === leaf ? { [register]: (entry[register] & ~bits) >>> 0 } : {}
      ),
    ),
}));
