import { defineCases, type DriveContext } from "../../mod.ts";
import { msrSteps, type Step } from "../msr/_access.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/** The registers behind each feature of leaf 0x40000003, by its bit in EAX or EDX. */
const features = {
  "run-time": { register: "eax", bit: 0, indexes: [0x40000010] },
  "reference-counter": { register: "eax", bit: 1, indexes: [0x40000020] },
  "synic": {
    register: "eax",
    bit: 2,
    indexes: [0x40000080, 0x40000081, 0x40000082, 0x40000083, 0x40000084, 0x40000090, 0x4000009f],
  },
  "timers": {
    register: "eax",
    bit: 3,
    indexes: [
      0x400000b0,
      0x400000b1,
      0x400000b2,
      0x400000b3,
      0x400000b4,
      0x400000b5,
      0x400000b6,
      0x400000b7,
    ],
  },
  "apic": { register: "eax", bit: 4, indexes: [0x40000071, 0x40000072, 0x40000073] },
  "hypercall": { register: "eax", bit: 5, indexes: [0x40000000, 0x40000001] },
  "processor-index": { register: "eax", bit: 6, indexes: [0x40000002] },
  "reset": { register: "eax", bit: 7, indexes: [0x40000003] },
  "reference-page": { register: "eax", bit: 9, indexes: [0x40000021] },
  "frequencies": { register: "eax", bit: 11, indexes: [0x40000022, 0x40000023] },
  "reenlightenment": { register: "eax", bit: 13, indexes: [0x40000106, 0x40000107, 0x40000108] },
  "crash": {
    register: "edx",
    bit: 10,
    indexes: [0x40000100, 0x40000101, 0x40000102, 0x40000103, 0x40000104, 0x40000105],
  },
  "debug": { register: "edx", bit: 11, indexes: [0x400000f1, 0x400000f5, 0x400000ff] },
} as const;

interface Row {
  index: number;
  register: "eax" | "edx";
  bit: number;
  granted: boolean;
}

const rows: Record<string, Row> = {};
for (const [name, { register, bit, indexes }] of Object.entries(features)) {
  for (const index of indexes) {
    const one = indexes.length === 1 ? name : `${name}-${(index & 0xfff).toString(16)}`;
    rows[one] = { index, register, bit, granted: true };
    rows[`${one}-denied`] = { index, register, bit, granted: false };
  }
}

/** With KVM_CAP_HYPERV_ENFORCE_CPUID a register is there where CPUID shows its feature, and only there. */
export default defineCases("hyperv/enforced-msr", rows, ({ index, register, bit, granted }) => {
  const steps: Step[] = granted ? [{ reads: "*" }] : [{ fault: true }, { write: 0n, fault: true }];
  const part = underHyperv(msrSteps(index, steps), (context) => {
    show(context, register, granted ? 1 << bit : ~(1 << bit));
    context.vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2");
    context.vcpu.enableCapability("KVM_CAP_HYPERV_ENFORCE_CPUID", 1);
  });
  const trace = part.trace;
  return {
    spec: [
      "KVM API 7.25: KVM_CAP_HYPERV_ENFORCE_CPUID",
      "TLFS 2.4.4: hypervisor feature identification, leaf 0x40000003",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_HYPERV_SYNIC2", "KVM_CAP_HYPERV_ENFORCE_CPUID"],
    ...part,
    trace: (labels: Readonly<Record<string, string>>) =>
      (typeof trace === "string" ? trace : trace(labels)).replace(
        "> set-cpuid\n",
        "> set-cpuid\n> set-cpuid\n> enable hyperv-synic2\n> enable hyperv-enforce-cpuid 0x1\n",
      ),
  };
});

/** Gives the feature leaf these bits in one of its registers, and none in the others. */
function show({ vcpu }: DriveContext, register: "eax" | "edx", bits: number): void {
  vcpu.setCpuid(
    vcpu.cpuid().map((entry) =>
      entry.function === 0x40000003
        ? { ...entry, eax: 0, ebx: 0, edx: 0, [register]: bits >>> 0 }
        : entry.function === 0x40000082
        // Kernel debugging is allowed, so that its registers depend on their feature alone.
        ? { ...entry, eax: 2 }
        : entry
    ),
  );
}
