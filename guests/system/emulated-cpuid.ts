import { asm, defineCase, defineCases, ioctl, Kvm } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** What KVM emulates without hardware: MOVBE, and what the document and the SDM allow beside it. */
const offered = defineCase({
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

/** Offsets of the three words of padding behind EDX of `struct kvm_cpuid_entry2`. */
const paddings = { "first-padding": 28, "second-padding": 32, "third-padding": 36 };
/** Header, then entries of 40 bytes. */
const [HEADER, ENTRY, ENTRIES] = [8, 40, 64];

/** The padding of an entry that the host gives is 0, lest it come to mean something. */
const refused = defineCases("system/emulated-cpuid", paddings, (offset) => ({
  spec: "KVM API 4.88: KVM_GET_EMULATED_CPUID (struct kvm_cpuid_entry2, padding)",
  mode: "real",
  requires: ["KVM_CAP_EXT_EMUL_CPUID"],
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    const ask = (entry: number, padding: number) => {
      const list = new Uint8Array(HEADER + ENTRY * ENTRIES);
      const view = new DataView(list.buffer);
      view.setUint32(0, ENTRIES, true);
      view.setUint32(HEADER + entry * ENTRY + offset, padding, true);
      return refusal(() => ioctl(kvm, "KVM_GET_EMULATED_CPUID", list));
    };
    assertEquals("without", ask(0, 0), "none");
    assertEquals("of the first entry", ask(0, 1), "EINVAL");
    assertEquals("of the last entry", ask(ENTRIES - 1, 0x80000000), "EINVAL");
  },
  trace: `hlt`,
}));

export default [offered, ...refused];
