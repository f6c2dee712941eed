import { defineCases, type Requirement } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

/** Leaf, subleaf, register and bit of CPUID. */
type Bit = readonly [number, number, "eax" | "ebx" | "ecx" | "edx", number];

interface Row {
  index: number;
  /** What the guest's CPUID shows beside what KVM offers, and what it hides of it. */
  shown?: readonly Bit[];
  hidden?: readonly Bit[];
  requires?: readonly Requirement[];
  steps: readonly Step[];
}

const none: readonly Step[] = [{ fault: true }, { write: 0n, fault: true }];

const speculation: readonly Bit[] = [
  [7, 0, "edx", 26],
  [7, 0, "edx", 27],
  [7, 0, "edx", 31],
  [0x80000008, 0, "ebx", 12],
  [0x80000008, 0, "ebx", 14],
  [0x80000008, 0, "ebx", 15],
  [0x80000008, 0, "ebx", 24],
  [0x80000021, 0, "eax", 27],
];
const workarounds: readonly Bit[] = [[0x80000001, 0, "ecx", 9]];
const virtualSsbd: readonly Bit[] = [[0x80000008, 0, "ebx", 25]];
const svm = [{ backend: ["svm"] }] as const;

const rows: Record<string, Row> = {
  "speculation-control-absent": { index: 0x48, hidden: speculation, steps: none },
  "prediction-command-absent": {
    index: 0x49,
    hidden: speculation,
    steps: [{ fault: true }, { write: 0n, fault: true }, { write: 1n, fault: true }],
  },
  "flush-command-absent": {
    index: 0x10b,
    hidden: [[7, 0, "edx", 28]],
    steps: [{ fault: true }, { write: 0n, fault: true }, { write: 1n, fault: true }],
  },
  "architectural-capabilities-absent": {
    index: 0x10a,
    hidden: [[7, 0, "edx", 29]],
    steps: none,
  },
  "performance-capabilities-absent": { index: 0x345, hidden: [[1, 0, "ecx", 15]], steps: none },
  "tsc-aux-absent": {
    index: 0xc0000103,
    hidden: [[0x80000001, 0, "edx", 27], [7, 0, "ecx", 22]],
    steps: none,
  },
  // RDTSCP or RDPID, either brings it.
  "tsc-aux-by-rdtscp": {
    index: 0xc0000103,
    hidden: [[7, 0, "ecx", 22]],
    requires: [{ cpuid: "RDTSCP" }],
    steps: [{ reads: 0n }, ...accepted(0x89abcdefn, 0n)],
  },
  "tsc-aux-by-rdpid": {
    index: 0xc0000103,
    hidden: [[0x80000001, 0, "edx", 27]],
    requires: [{ cpuid: "RDPID" }],
    steps: [{ reads: 0n }, ...accepted(0x89abcdefn, 0n)],
  },
  "extended-supervisor-state-absent": { index: 0xda0, hidden: [[0xd, 1, "eax", 3]], steps: none },
  "extended-feature-disable-absent": { index: 0x1c4, hidden: [[0xd, 1, "eax", 4]], steps: none },
  "extended-feature-disable-error-absent": {
    index: 0x1c5,
    hidden: [[0xd, 1, "eax", 4]],
    steps: none,
  },
  "workaround-length": {
    index: 0xc0010140,
    shown: workarounds,
    requires: svm,
    steps: [{ reads: "*" }, ...accepted(0x4n, 0x10n)],
  },
  "workaround-status": {
    index: 0xc0010141,
    shown: workarounds,
    requires: svm,
    steps: [{ reads: "*" }, ...accepted(0x5n, 0n)],
  },
  "workaround-length-absent": {
    index: 0xc0010140,
    hidden: workarounds,
    requires: svm,
    steps: none,
  },
  "workaround-status-absent": {
    index: 0xc0010141,
    hidden: workarounds,
    requires: svm,
    steps: none,
  },
  "virtual-ssbd": {
    index: 0xc001011f,
    shown: virtualSsbd,
    requires: svm,
    // Bit 2 alone.
    steps: [{ reads: 0n }, ...refused(0n, 1n, 2n, 8n, 1n << 32n), ...accepted(0n)],
  },
  "virtual-ssbd-absent": {
    index: 0xc001011f,
    hidden: virtualSsbd,
    requires: svm,
    steps: none,
  },
  "tsc-ratio-absent": {
    index: 0xc0000104,
    hidden: [[0x8000000a, 0, "edx", 4]],
    requires: svm,
    steps: [...none, { write: 1n << 32n, fault: true }],
  },
};

const sets = (bits: readonly Bit[], leaf: number, subleaf: number, register: Bit[2]) =>
  bits.filter(([f, i, r]) => f === leaf && i === subleaf && r === register)
    .reduce((mask, bit) => mask | 1 << bit[3], 0);

/** An MSR is there with the feature that CPUID shows of it, and #GP(0) meets it without. */
export default defineCases("msr/feature", rows, ({ index, shown, hidden, requires, steps }) => ({
  spec: [
    "SDM 4 2: model-specific registers (with the CPUID bit that each comes with)",
    "APM 2 appendix A: MSR cross-reference",
    "KVM API 4.20: KVM_SET_CPUID2",
  ],
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }, ...(requires ?? [])],
  ...msrSteps(index, steps, lasting(index, steps), "> set-cpuid"),
  drive: ({ vcpu }) =>
    vcpu.setCpuid(offered((entry) => {
      const changed = (register: Bit[2]) => {
        const where = [entry.function, entry.index, register] as const;
        return ((entry[register] | sets(shown ?? [], ...where)) &
          ~sets(hidden ?? [], ...where)) >>> 0;
      };
      return {
        eax: changed("eax"),
        ebx: changed("ebx"),
        ecx: changed("ecx"),
        edx: changed("edx"),
      };
    })),
}));

/** What a case leaves in an MSR that it does not set back. */
function lasting(index: number, steps: readonly Step[]): string {
  const last = steps.findLast(({ write, fault }) => write !== undefined && !fault)?.write ?? 0n;
  return last === 0n ? "" : `= msr.0x${index.toString(16)} 0x${last.toString(16)}`;
}
