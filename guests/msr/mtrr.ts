import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

/** Memory types that do not exist: 2, 3, 7 and all above 7. */
const lanes = [0n, 8n, 16n, 24n, 32n, 40n, 48n, 56n];
const writeBack = 0x0606060606060606n;

/** A fixed range takes each of the five types in each of its eight parts, and no other value. */
const fixed: readonly Step[] = [
  ...accepted(0x0001040506000104n, 0x0605040100060504n, writeBack),
  ...lanes.flatMap((lane, number) => {
    const type = [2n, 3n, 7n, 8n, 0x10n, 0x86n, 0xffn, 9n][number];
    return refused(writeBack, (writeBack & ~(0xffn << lane)) | type << lane);
  }),
];

/** A base takes the five types and an address; bits 11 to 8 are reserved, and those above 51. */
const base: readonly Step[] = [
  ...accepted(0xd0000000n, 0xe0000001n, 0x12345004n, 0x80000005n, 0xfffff006n),
  ...refused(0xfffff006n, 0x2n, 0x3n, 0x7n, 0x100n, 0x200n, 0x400n, 0x800n, 0x8000000000000006n),
];

/** A mask takes bit 11, which makes it valid, and an address; bits 10 to 0 are reserved. */
const mask: readonly Step[] = [
  ...accepted(0x800n, 0xff0000000n, 0xfffff800n),
  ...refused(0xfffff800n, 0x1n, 0x2n, 0x80n, 0x100n, 0x400n, 0xc00n, 0x10000000000800n),
];

const rows: Record<string, { index: number; steps: readonly Step[] }> = {
  // Eight variable ranges, fixed ranges and write combining: KVM's MTRRs.
  capabilities: {
    index: 0xfe,
    steps: [{ reads: 0x508n }, { write: 0x508n, fault: true, reads: 0x508n }],
  },
  "default-type": {
    index: 0x2ff,
    steps: [
      ...accepted(0xc06n, 0x800n, 0xc00n, 0x400n, 0x1n, 0x4n, 0x5n, 0x6n, 0x0n),
      ...refused(0x0n, 0x2n, 0x3n, 0x7n, 0x8n, 0x10n, 0xffn, 0x100n, 0x200n, 0x1000n, 1n << 32n),
    ],
  },
  "fixed-64k-00000": { index: 0x250, steps: fixed },
  "fixed-16k-80000": { index: 0x258, steps: fixed },
  "fixed-16k-a0000": { index: 0x259, steps: fixed },
  "fixed-4k-c0000": { index: 0x268, steps: fixed },
  "fixed-4k-f8000": { index: 0x26f, steps: fixed },
  "base-0": { index: 0x200, steps: base },
  "mask-0": { index: 0x201, steps: mask },
  "base-7": { index: 0x20e, steps: base },
  "mask-7": { index: 0x20f, steps: mask },
  // There is no ninth.
  "base-8": {
    index: 0x210,
    steps: [{ fault: true }, { write: 0x6n, fault: true }],
  },
  // Between the fixed ranges there is nothing.
  "fixed-absent": {
    index: 0x25a,
    steps: [{ fault: true }, { write: writeBack, fault: true }],
  },
};

/** The memory type range registers take what the SDM lets them, and #GP(0) meets the rest. */
export default defineCases("msr/mtrr", rows, ({ index, steps }) => ({
  spec: [
    "SDM 3A 12.11.1: MTRR feature identification",
    "SDM 3A 12.11.2: setting memory ranges with MTRRs",
  ],
  requires: [{ cpuid: "MTRR" }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(index, steps),
}));
