import { type CpuidFeatureName, defineCases, type Irqchip } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

interface Row {
  index: number;
  feature: CpuidFeatureName;
  steps: readonly Step[];
  irqchip?: Irqchip;
}

const rows: Record<string, Row> = {
  "poll-control": {
    index: 0x4b564d05,
    feature: "KVM-POLL-CONTROL",
    steps: [{ reads: 1n }, ...accepted(0n, 1n), ...refused(1n, 2n, 3n, 1n << 32n, 1n << 63n)],
  },
  // Bits 5 to 1 are reserved and the area is 64 bytes, aligned.
  "steal-time": {
    index: 0x4b564d03,
    feature: "KVM-STEAL-TIME",
    steps: [
      { reads: 0n },
      ...refused(0n, 0xb003n, 0xb005n, 0xb009n, 0xb011n, 0xb021n),
      ...accepted(0xb000n, 0x0n),
    ],
  },
  "end-of-interrupt": {
    index: 0x4b564d04,
    feature: "KVM-PV-EOI",
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0xb001n, 0xb005n), ...refused(0xb005n, 0xb002n, 0xb003n), {
      write: 0n,
      reads: 0n,
    }],
  },
  "async-page-fault": {
    index: 0x4b564d02,
    feature: "KVM-ASYNC-PF-INT",
    irqchip: "kernel",
    steps: [
      { reads: 0n },
      // Enabled, and told by an interrupt; for user code alone or for the kernel too.
      ...accepted(0xb009n, 0xb00bn, 0x0n),
      ...refused(0n, 0xb019n, 0xb029n),
    ],
  },
  // Without a local APIC there is nothing to tell it with.
  "async-page-fault-without-apic": {
    index: 0x4b564d02,
    feature: "KVM-ASYNC-PF-INT",
    steps: [{ reads: 0n }, ...refused(0n, 0xb009n), { write: 0n, reads: 0n }],
  },
  "async-page-fault-vector": {
    index: 0x4b564d06,
    feature: "KVM-ASYNC-PF-INT",
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0x31n, 0xffn, 0x0n), ...refused(0n, 0x100n, 1n << 63n)],
  },
  "async-page-fault-acknowledge": {
    index: 0x4b564d07,
    feature: "KVM-ASYNC-PF-INT",
    irqchip: "kernel",
    steps: [{ reads: 0n }, { write: 1n, reads: 0n }],
  },
};

/** KVM's own MSRs take what they are documented to take, and #GP(0) meets reserved bits. */
export default defineCases("msr/paravirt", rows, ({ index, feature, steps, irqchip }) => ({
  spec: ["KVM x86 MSRs: MSR_KVM_*", "KVM x86 CPUID: KVM_FEATURE_*"],
  irqchip,
  requires: [{ cpuid: feature }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(index, steps),
}));
