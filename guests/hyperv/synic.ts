import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "../msr/_access.ts";
import { requires, underHyperv } from "./_hyperv.ts";

const rows: Record<string, { index: number; steps: readonly Step[]; exits?: string }> = {
  version: { index: 0x40000081, steps: [{ reads: 1n }, ...refused(1n, 1n)] },
  "interrupt-source-0": {
    index: 0x40000090,
    steps: [
      { reads: 0x10000n },
      ...accepted(0x31n, 0x10031n, 0x20031n),
      ...refused(0x20031n, 0xfn, 0n),
      {
        write: 0x1000fn,
        reads: 0x1000fn,
      },
    ],
  },
  "interrupt-source-15": {
    index: 0x4000009f,
    steps: [{ reads: 0x10000n }, ...accepted(0x31n), ...refused(0x31n, 0xfn)],
  },
  "end-of-message": { index: 0x40000084, steps: [{ write: 0n, reads: 0n }] },
  "timer-0-configuration": {
    index: 0x400000b0,
    steps: [{ reads: 0n }, ...accepted(0x20008n, 0x1310n, 0n)],
  },
  "timer-3-configuration": { index: 0x400000b6, steps: [{ reads: 0n }, ...accepted(0x30002n, 0n)] },
  "timer-3-count": { index: 0x400000b7, steps: [{ reads: 0n }, ...accepted(0x123456789n, 0n)] },
};

/** The registers of the synthetic interrupt controller and its timers. */
export default defineCases("hyperv/synic", rows, ({ index, steps }) => ({
  spec: ["TLFS 11: virtual interrupt controller (SynIC)", "KVM API 7.8: KVM_CAP_HYPERV_SYNIC2"],
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, "KVM_CAP_HYPERV_SYNIC2"],
  ...withSynic(msrSteps(index, steps)),
}));

function withSynic(steps: ReturnType<typeof msrSteps>) {
  const part = underHyperv(steps, ({ vcpu }) => vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2"));
  const { trace } = part;
  return {
    ...part,
    trace: (labels: Readonly<Record<string, string>>) =>
      (typeof trace === "string" ? trace : trace(labels)).replace(
        "> set-cpuid\n",
        "> set-cpuid\n> enable hyperv-synic2\n",
      ),
  };
}
