import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

const [VM_CR, HSAVE_PA, IGNNE] = [0xc0010114, 0xc0010117, 0xc0010115];

interface Row {
  index: number;
  steps: readonly Step[];
  /** What the MSR holds in the end, where that is not 0. */
  left?: string;
}

const rows: Record<string, Row> = {
  "control-writable": { index: VM_CR, steps: [{ reads: 0n }, ...accepted(1n, 2n, 4n, 7n, 0n)] },
  "control-reserved": {
    index: VM_CR,
    left: "0x5",
    steps: [...accepted(5n), ...refused(5n, 0x20n, 0x25n, 1n << 31n, 1n << 32n, 1n << 63n)],
  },
  // Locked, SVMDIS and LOCK stay as they are, silently; the rest is written.
  "control-locked": {
    index: VM_CR,
    left: "0x18",
    steps: [
      ...accepted(0x18n),
      { write: 0n, reads: 0x18n },
      { write: 0x8n, reads: 0x18n },
      { write: 0x10n, reads: 0x18n },
      { write: 0x7n, reads: 0x1fn },
      { write: 0n, reads: 0x18n },
    ],
  },
  "control-locked-enabled": {
    index: VM_CR,
    left: "0x8",
    steps: [...accepted(0x8n), { write: 0x10n, reads: 0x8n }, { write: 0n, reads: 0x8n }],
  },
  "control-disabled-not-locked": { index: VM_CR, steps: accepted(0x10n, 0n) },
  // A page below the end of physical memory.
  "host-save-area": {
    index: HSAVE_PA,
    steps: [
      { reads: 0n },
      ...accepted(0x1000n, 0xa000n, 0x7fffff000n),
      ...refused(0x7fffff000n, 0x1n, 0x800n, 0xa008n, 1n << 52n, 1n << 63n),
      ...accepted(0n),
    ],
  },
  "ignore-numeric-error": { index: IGNNE, steps: [{ write: 0n }, { write: 1n }] },
};

/** SVM's own MSRs of a guest. */
export default defineCases("msr/secure-machine", rows, ({ index, steps, left }) => ({
  spec: ["APM 2 15.30.1: VM_CR MSR", "APM 2 15.30.4: VM_HSAVE_PA MSR"],
  requires: [
    { backend: ["svm"] },
    { cpuid: "SVM" },
    { parameter: "kvm.ignore_msrs", value: "N" },
  ],
  ...msrSteps(index, steps, left ? `= msr.0x${index.toString(16)} ${left}` : ""),
}));
