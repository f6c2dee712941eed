import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

const ones = 0xffffffffffffffffn;

const rows: Record<string, { index: number; steps: readonly Step[] }> = {
  // No bank is written by software: the capabilities are read-only.
  capabilities: { index: 0x179, steps: [{ reads: "*" }, ...refused("*", 0n)] },
  status: { index: 0x17a, steps: [{ reads: 0n }, ...accepted(0x5n, 0n)] },
  // All banks are on or off.
  "bank-0-control": {
    index: 0x400,
    steps: [...accepted(0n, ones), ...refused(ones, 0x10n, 0x2n)],
  },
  // A status is cleared by software, and never set.
  "bank-0-status": {
    index: 0x401,
    steps: [{ write: 0n, reads: 0n }, ...refused(0n, 1n, 1n << 63n)],
  },
  "bank-1-status": {
    index: 0x405,
    steps: [{ write: 0n, reads: 0n }, ...refused(0n, 1n, 1n << 63n)],
  },
  "bank-0-address": { index: 0x402, steps: accepted(0n, 0x123456789abcn) },
  "bank-0-miscellaneous": { index: 0x403, steps: accepted(0n, 0x123456789abcn) },
};

/** The machine-check registers of a guest whose host has set nothing up. */
export default defineCases("msr/machine-check", rows, ({ index, steps }) => ({
  spec: [
    "SDM 3B 16.3.1: machine-check global control MSRs",
    "SDM 3B 16.3.2: error-reporting register banks",
  ],
  requires: [{ cpuid: "MCA" }, { cpuid: "MCE" }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(index, steps),
}));
