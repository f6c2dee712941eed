import { type CpuidFeatureName, defineCases, type Irqchip } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

interface Row {
  /** The bit of leaf 0x40000001's EAX, and its name. */
  bit: number;
  feature: CpuidFeatureName;
  index: number;
  /** What a guest finds that has the feature. */
  steps: readonly Step[];
  irqchip?: Irqchip;
}

const rows: Record<string, Row> = {
  "wall-clock-old": {
    bit: 0,
    feature: "KVM-CLOCKSOURCE",
    index: 0x11,
    steps: [{ reads: 0n }, ...accepted(0n)],
  },
  "system-time-old": {
    bit: 0,
    feature: "KVM-CLOCKSOURCE",
    index: 0x12,
    steps: [{ reads: 0n }, ...accepted(0xa000n, 0n)],
  },
  "wall-clock": {
    bit: 3,
    feature: "KVM-CLOCKSOURCE2",
    index: 0x4b564d00,
    steps: [{ reads: 0n }, ...accepted(0n)],
  },
  "system-time": {
    bit: 3,
    feature: "KVM-CLOCKSOURCE2",
    index: 0x4b564d01,
    steps: [{ reads: 0n }, ...accepted(0xa000n, 0n)],
  },
  "async-page-fault": {
    bit: 4,
    feature: "KVM-ASYNC-PF",
    index: 0x4b564d02,
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0xa001n, 0n)],
  },
  "steal-time": {
    bit: 5,
    feature: "KVM-STEAL-TIME",
    index: 0x4b564d03,
    steps: [{ reads: 0n }, ...accepted(0xb000n, 0n)],
  },
  "end-of-interrupt": {
    bit: 6,
    feature: "KVM-PV-EOI",
    index: 0x4b564d04,
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0xb001n, 0n)],
  },
  "poll-control": {
    bit: 12,
    feature: "KVM-POLL-CONTROL",
    index: 0x4b564d05,
    steps: [{ reads: 1n }, ...accepted(0n, 1n)],
  },
  "async-page-fault-vector": {
    bit: 14,
    feature: "KVM-ASYNC-PF-INT",
    index: 0x4b564d06,
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0x31n, 0n)],
  },
  "async-page-fault-acknowledge": {
    bit: 14,
    feature: "KVM-ASYNC-PF-INT",
    index: 0x4b564d07,
    irqchip: "kernel",
    steps: [{ reads: 0n }, { write: 1n, reads: 0n }],
  },
  // A bit of one MSR that another feature has.
  "async-page-fault-by-interrupt": {
    bit: 14,
    feature: "KVM-ASYNC-PF-INT",
    index: 0x4b564d02,
    irqchip: "kernel",
    steps: accepted(0xa009n, 0n),
  },
  "async-page-fault-by-exit": {
    bit: 10,
    feature: "KVM-ASYNC-PF-VMEXIT",
    index: 0x4b564d02,
    irqchip: "kernel",
    steps: accepted(0xa005n, 0n),
  },
};

/** Without the feature the MSR is none, but for the one that the feature has only a bit of. */
function absent(name: string): Step[] {
  if (name === "async-page-fault-by-interrupt") return [{ reads: 0n }, ...refused(0n, 0xa009n)];
  if (name === "async-page-fault-by-exit") return [{ reads: 0n }, ...refused(0n, 0xa005n)];
  return [{ fault: true }, { write: 0n, fault: true }];
}

/** What CPUID shows, and whether and when KVM is told to hold the guest to it. */
const settings = {
  // Every other feature is gone.
  "shown-alone": { shown: "alone", enforce: "first", allowed: true },
  "hidden": { shown: "others", enforce: "first", allowed: false },
  "hidden-then-enforced": { shown: "others", enforce: "last", allowed: false },
  "hidden-not-enforced": { shown: "others", enforce: "never", allowed: true },
  "hidden-no-longer-enforced": { shown: "others", enforce: "undone", allowed: true },
} as const;

/** A guest that is held to its CPUID has no MSR of a paravirtual feature which that does not show. */
export default defineCases(
  "msr/paravirt-enforced",
  Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) =>
      Object.entries(settings).map(([setting, how]) => [
        `${name}-${setting}`,
        { ...row, ...how, name },
      ])
    ),
  ),
  ({ bit, feature, index, steps, irqchip, shown, enforce, allowed, name }) => ({
    spec: ["KVM API 8.28: KVM_CAP_ENFORCE_PV_FEATURE_CPUID", "KVM x86 CPUID: KVM_FEATURE_*"],
    irqchip,
    requires: [
      "KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
      { cpuid: feature },
      { parameter: "kvm.ignore_msrs", value: "N" },
    ],
    ...msrSteps(
      index,
      allowed ? steps : absent(name),
      "",
      {
        first: "> enable enforce-pv-feature-cpuid 0x1\n> set-cpuid",
        last: "> set-cpuid\n> enable enforce-pv-feature-cpuid 0x1",
        never: "> set-cpuid",
        undone:
          "> enable enforce-pv-feature-cpuid 0x1\n> set-cpuid\n> enable enforce-pv-feature-cpuid 0x0",
      }[enforce],
    ),
    drive: ({ vcpu }) => {
      const hold = (value: 0 | 1) =>
        vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", value);
      if (enforce === "first" || enforce === "undone") hold(1);
      // The bit of the MSR is looked at on top of the feature that has it, bit 4.
      const own = 1 << bit | (index === 0x4b564d02 ? 1 << 4 : 0);
      vcpu.setCpuid(
        offered((entry) =>
          entry.function === 0x40000001
            ? { eax: (shown === "alone" ? own : entry.eax & ~(1 << bit)) >>> 0 }
            : {}
        ),
      );
      if (enforce === "undone") hold(0);
      if (enforce === "last") hold(1);
    },
  }),
);
