import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused } from "./_access.ts";

const rows = {
  lstar: { index: 0xc0000082, state: "= msr.0xc0000082 0x7fffffffffff" },
  cstar: { index: 0xc0000083, state: "= msr.0xc0000083 0x7fffffffffff" },
  "fs-base": { index: 0xc0000100, state: "= fs.base 0x7fffffffffff" },
  "gs-base": { index: 0xc0000101, state: "= gs.base 0x7fffffffffff" },
  "kernel-gs-base": { index: 0xc0000102, state: "= msr.0xc0000102 0x7fffffffffff" },
};

/** An MSR that holds an address takes a canonical one, up to the last on either side. */
export default defineCases("msr/canonical", rows, ({ index, state }) => ({
  spec: ["SDM 2C: WRMSR (#GP(0), non-canonical address)", "SDM 1 3.3.7.1: canonical addressing"],
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(index, [
    { reads: 0n },
    ...accepted(0x1000n, 0xffff800000000000n, 0xffffffffffffffffn, 0x7fffffffffffn),
    ...refused(
      0x7fffffffffffn,
      // Not canonical with 57-bit linear addresses either, which a processor may have.
      0x100000000000000n,
      0x200000000000000n,
      0x7fffffffffffffffn,
      0x8000000000000000n,
      0xfe00000000000000n,
      0xfeffffffffffffffn,
    ),
  ], state),
}));
