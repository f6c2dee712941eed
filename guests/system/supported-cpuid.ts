import { asm, type CpuidEntry, defineCases, Kvm } from "../../mod.ts";

type Leaves = ReadonlyMap<string, CpuidEntry>;

/** What must be there of a leaf whose subleaves say of each other what there is: `leaf.subleaf`. */
const rows: Record<string, (leaves: Leaves) => string[]> = {
  // EAX of subleaf 0 is the highest subleaf.
  "features": (leaves) => upTo(7, leaves.get("7.0")?.eax ?? 0),
  // A component's bit in subleaf 0 (XCR0) or 1 (IA32_XSS) means that there is a subleaf of it.
  "state-components": (leaves) => {
    const [user, supervisor] = [leaves.get("13.0"), leaves.get("13.1")];
    if (!user) return [];
    const bits = BigInt(user.eax | (supervisor?.ecx ?? 0)) |
      BigInt(user.edx | (supervisor?.edx ?? 0)) << 32n;
    const components = Array.from({ length: 61 }, (_, at) => at + 2);
    const there = components.filter((at) => bits >> BigInt(at) & 1n);
    return ["13.0", "13.1", ...there.map((at) => `13.${at}`)];
  },
};

function upTo(leaf: number, highest: number): string[] {
  return Array.from({ length: highest + 1 }, (_, index) => `${leaf}.${index}`);
}

/** KVM_GET_SUPPORTED_CPUID has each subleaf that another says there is, once, and marked as one. */
export default defineCases("system/supported-cpuid", rows, (promised, variation) => ({
  spec: [
    "KVM API 4.46: KVM_GET_SUPPORTED_CPUID (KVM_CPUID_FLAG_SIGNIFCANT_INDEX)",
    "SDM 2A: CPUID, leaves 07H and 0DH",
  ],
  mode: "real",
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    const leaf = variation === "features" ? 7 : 13;
    const entries = kvm.supportedCpuid().filter((entry) => entry.function === leaf);
    const numbers = entries.map((entry) => `${entry.function}.${entry.index}`);
    const leaves = new Map(entries.map((entry, at) => [numbers[at], entry]));
    assertEquals("the subleaves", numbers.toSorted(), promised(leaves).toSorted());
    assertEquals("flags", entries.map(({ flags }) => flags), entries.map(() => 1));
  },
  trace: `hlt`,
}));
