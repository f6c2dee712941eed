import { asm, defineCase, Kvm } from "../../mod.ts";

/** What KVM emulates without hardware: MOVBE, and what the document and the SDM allow beside it. */
export default defineCase({
  id: "system/emulated-cpuid",
  spec: [
    "KVM API 4.88: KVM_GET_EMULATED_CPUID",
    "SDM 2A: CPUID, leaf 1 ECX bit 22 (MOVBE), leaf 7 ECX bit 22 (RDPID)",
  ],
  mode: "real",
  requires: ["KVM_CAP_EXT_EMUL_CPUID"],
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    const leaves = kvm.emulatedCpuid();
    const numbers = leaves.map(({ function: leaf, index }) => `${leaf}.${index}`);
    assertEquals("leaves that come twice", numbers.length - new Set(numbers).size, 0);
    // A leaf is there in full, whether a bit of it is set or not.
    const [basic] = leaves.filter(({ function: leaf }) => leaf === 0);
    const features = leaves.find(({ function: leaf }) => leaf === 1)!;
    assertEquals("the highest basic leaf", basic.eax >= 1, true);
    assertEquals("MOVBE", features.ecx >>> 22 & 1, 1);
    // KVM does not emulate what it only passes through: FPU, TSC, MSR.
    assertEquals("EDX of leaf 1", features.edx, 0);
  },
  trace: `hlt`,
});
