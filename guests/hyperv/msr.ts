import { defineCases, type Irqchip } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "../msr/_access.ts";
import { requires, underHyperv } from "./_hyperv.ts";

interface Row {
  index: number;
  steps: readonly Step[];
  irqchip?: Irqchip;
  state?: string;
}

const rows: Record<string, Row> = {
  "guest-os-id": {
    index: 0x40000000,
    steps: [{ reads: 0n }, ...accepted(0x8100000000000000n, 0n)],
  },
  // Without a guest OS id the hypercall page stays off.
  "hypercall-without-os-id": {
    index: 0x40000001,
    steps: [{ reads: 0n }, { write: 0xb001n, reads: 0n }],
  },
  "processor-index": { index: 0x40000002, steps: [{ reads: 0n }, ...refused(0n, 0n, 1n)] },
  "reset-not-asked-for": { index: 0x40000003, steps: [{ write: 0n, reads: 0n }] },
  "run-time": { index: 0x40000010, steps: [{ reads: "*" }, ...refused("*", 0n)] },
  "reference-time": { index: 0x40000020, steps: [{ reads: "*" }, ...refused("*", 0n)] },
  "counter-frequency": { index: 0x40000022, steps: [{ reads: "*" }, ...refused("*", 0n)] },
  // A bus of 1 GHz, as KVM's local APIC has it.
  "apic-frequency": {
    index: 0x40000023,
    irqchip: "kernel",
    steps: [{ reads: 1000000000n }, ...refused(1000000000n, 0n)],
  },
  "crash-parameter-0": {
    index: 0x40000100,
    steps: [{ reads: 0n }, ...accepted(0x1122334455667788n)],
  },
  "crash-parameter-4": {
    index: 0x40000104,
    steps: [{ reads: 0n }, ...accepted(0x1122334455667788n)],
  },
  "crash-control": {
    index: 0x40000105,
    steps: [{ reads: 0n }, { write: 0n, reads: 0n }],
  },
  "reenlightenment-control": {
    index: 0x40000106,
    steps: [{ reads: 0n }, ...accepted(0x100f1n, 0n)],
  },
  "counter-emulation-control": { index: 0x40000107, steps: [{ reads: 0n }, ...accepted(1n, 0n)] },
  // Only the host can set what was emulated.
  "counter-emulation-status": {
    index: 0x40000108,
    steps: [{ reads: 0n }, { write: 0n, reads: 0n }, ...refused(0n, 1n)],
  },
  "task-priority": {
    index: 0x40000072,
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0x30n, 0n)],
  },
  "assist-page": {
    index: 0x40000073,
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...accepted(0xb001n, 0n)],
  },
  "assist-page-nowhere": {
    index: 0x40000073,
    irqchip: "kernel",
    steps: [{ reads: 0n }, ...refused(0n, 0xd0000001n)],
  },
  // Without KVM_CAP_HYPERV_SYNIC there is no synthetic interrupt controller.
  "synic-off": {
    index: 0x40000080,
    irqchip: "kernel",
    steps: [{ fault: true }, { write: 1n, fault: true }],
  },
  "timer-without-synic": {
    index: 0x400000b0,
    irqchip: "kernel",
    steps: [{ write: 0x1n, fault: true }],
  },
  // Nothing is there.
  "unknown": { index: 0x40000004, steps: [{ fault: true }, { write: 0n, fault: true }] },
};

/** The synthetic MSRs of Hyper-V's interface. */
export default defineCases("hyperv/msr", rows, ({ index, steps, irqchip, state }) => ({
  spec: [
    "TLFS appendix F: synthetic MSRs",
    "KVM API 4.118: KVM_GET_SUPPORTED_HV_CPUID",
    "KVM API 8.12: KVM_CAP_HYPERV_VP_INDEX",
  ],
  mode: "long",
  irqchip,
  requires,
  ...underHyperv(msrSteps(index, steps, state)),
}));
