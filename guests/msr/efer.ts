import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

const rows: Record<string, { steps: readonly Step[]; after: string }> = {
  // Every bit that no processor defines (SDM 3A 2.2.1, APM 2 3.1.7), one after the other.
  reserved: {
    steps: [
      { reads: 0xd00n },
      ...refused(
        0xd00n,
        ...[1n, 2n, 3n, 4n, 5n, 6n, 7n, 9n, 16n, 19n, 22n, 31n, 32n, 47n, 63n]
          .map((bit) => 0xd00n | 1n << bit),
      ),
    ],
    after: "= efer 0xd00",
  },
  // SYSCALL enable and no-execute enable are the guest's to change while paging is on.
  "sce-nxe": { steps: accepted(0xd01n, 0x501n, 0x500n, 0xd00n), after: "= efer 0xd00" },
  // LMA is the processor's: a write neither clears nor is refused for it.
  "lma-ignored": {
    steps: [{ write: 0x901n, reads: 0xd01n }, { write: 0x900n, reads: 0xd00n }],
    after: "= efer 0xd00",
  },
  // LME is fixed while paging is on.
  "lme-cleared": { steps: refused(0xd00n, 0xc00n, 0x800n, 0x0n), after: "= efer 0xd00" },
};

/** IA32_EFER takes the bits that the processor has, and #GP(0) leaves it as it was. */
export default defineCases("msr/efer", rows, ({ steps, after }) => ({
  spec: ["SDM 3A 2.2.1: IA32_EFER", "APM 2 3.1.7: EFER", "SDM 2C: WRMSR"],
  requires: [
    { cpuid: "SYSCALL" },
    { cpuid: "NX" },
    { parameter: "kvm.ignore_msrs", value: "N" },
  ],
  ...msrSteps(0xc0000080, steps, after),
}));
