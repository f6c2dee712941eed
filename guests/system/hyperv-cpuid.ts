import { asm, type CpuidEntry, defineCases, Kvm } from "../../mod.ts";

const rows = { system: "KVM_CAP_SYS_HYPERV_CPUID", vcpu: "KVM_CAP_HYPERV_CPUID" } as const;

/** The text in a register: four characters, the first in its lowest byte. */
function text(...registers: number[]): string {
  return registers.map((word) =>
    [0, 8, 16, 24].map((shift) => String.fromCharCode(word >>> shift & 0xff)).join("")
  ).join("");
}

/** Hyper-V's leaves start with how many there are, and the interface's signature. */
export default defineCases("system/hyperv-cpuid", rows, (capability, of) => ({
  spec: [
    "KVM API 4.118: KVM_GET_SUPPORTED_HV_CPUID",
    "Hypervisor Top Level Functional Specification 2.4: leaves 0x40000000 and 0x40000001",
  ],
  mode: "real",
  requires: [capability],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    using kvm = Kvm.open();
    const leaves: readonly CpuidEntry[] = of === "system"
      ? kvm.supportedHypervCpuid()
      : vcpu.supportedHypervCpuid();
    const [first, second] = leaves;
    assertEquals("the first leaves", [first.function, second.function], [0x40000000, 0x40000001]);
    // The document's list goes up to 0x40000006 at least.
    assertEquals("the highest leaf", first.eax >= 0x40000006, true);
    assertEquals("the interface", text(second.eax), "Hv#1");
    const outside = leaves.filter(({ function: leaf }) =>
      leaf < 0x40000000 || leaf > 0x400000ff || leaf > first.eax && leaf < 0x40000080
    );
    assertEquals("leaves beyond the highest", outside.map((leaf) => leaf.function), []);
  },
  trace: `hlt`,
}));
