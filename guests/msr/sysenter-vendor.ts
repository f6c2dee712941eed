import { defineCases } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { accepted, msrSteps } from "./_access.ts";

/** "GenuineIntel" of leaf 0. */
const intel = { ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 };
const last = 0xffff_8000_1234_5678n;

/** To a guest whose CPUID is Intel's, SYSENTER's MSRs are 64 bits wide on any processor. */
export default defineCases(
  "msr/sysenter-vendor",
  { "stack-pointer": 0x175, "instruction-pointer": 0x176 },
  (index) => ({
    spec: ["SDM 4 2: IA32_SYSENTER_ESP, IA32_SYSENTER_EIP", "SDM 2B: SYSENTER"],
    requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
    ...msrSteps(
      index,
      [
        { reads: 0n },
        ...accepted(0x89abcdefn, 0x7fff_89ab_cdefn, 0xffff_ffff_0000_0000n, 0n, last),
      ],
      `= msr.0x${index.toString(16)} 0x${last.toString(16)}`,
      "> set-cpuid",
    ),
    drive: ({ vcpu }) => vcpu.setCpuid(offered((entry) => entry.function === 0 ? intel : {})),
  }),
);
