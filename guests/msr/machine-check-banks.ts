import { defineCases, type Requirement } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

const ones = 0xffffffffffffffffn;
/** MCG_CTL_P and MCG_CMCI_P of IA32_MCG_CAP; its low byte is the number of banks. */
const [CONTROL, CORRECTED] = [1n << 8n, 1n << 10n];

interface Row {
  /** What KVM_X86_SETUP_MCE is given. */
  capabilities: bigint;
  index: number;
  steps: readonly Step[];
  requires?: readonly Requirement[];
  /** What the host puts into HWCR. */
  hardware?: bigint;
  state?: string;
}

const absent: readonly Step[] = [{ fault: true }, { write: 0n, fault: true }, {
  write: ones,
  fault: true,
}];
const intel = [{ backend: ["vmx"] }] as const;
const amd = [{ backend: ["svm"] }] as const;

const rows: Record<string, Row> = {
  capabilities: { capabilities: 3n | CONTROL, index: 0x179, steps: [{ reads: 3n | CONTROL }] },
  "capabilities-without-control": { capabilities: 1n, index: 0x179, steps: [{ reads: 1n }] },
  control: {
    capabilities: 2n | CONTROL,
    index: 0x17b,
    steps: [{ reads: ones }, ...accepted(0n, ones), ...refused(ones, 1n, 1n << 63n, ones - 1n)],
    state: `= msr.0x17b 0x${ones.toString(16)}`,
  },
  "control-absent": { capabilities: 2n, index: 0x17b, steps: absent },
  // Each bank begins with every error on.
  "bank-control": {
    capabilities: 2n,
    index: 0x404,
    steps: [{ reads: ones }, ...refused(ones, 1n, 1n << 62n), ...accepted(0n, ones)],
  },
  "last-bank": { capabilities: 2n, index: 0x407, steps: [{ reads: 0n }, ...accepted(5n, 0n)] },
  "beyond-the-last-bank": { capabilities: 2n, index: 0x408, steps: absent },
  // With Intel the next MSR is IA32_VMX_BASIC.
  "beyond-all-banks": { capabilities: 32n, index: 0x480, requires: amd, steps: absent },
  "last-of-32-banks": {
    capabilities: 32n,
    index: 0x47f,
    steps: [{ reads: 0n }, ...accepted(5n, 0n)],
  },
  "corrected-absent": { capabilities: 2n, index: 0x280, steps: absent },
  corrected: {
    capabilities: 2n | CORRECTED,
    index: 0x281,
    requires: intel,
    steps: [
      { reads: 0n },
      ...accepted(1n, 0x7fffn, 0x40000000n, 0x40007fffn),
      ...refused(0x40007fffn, 0x8000n, 0x20000000n, 0x80000000n, 1n << 32n),
      ...accepted(0n),
    ],
  },
  "corrected-beyond-the-last-bank": {
    capabilities: 2n | CORRECTED,
    index: 0x282,
    requires: intel,
    steps: absent,
  },
  // McStatusWrEn of HWCR.
  "status-writable": {
    capabilities: 2n,
    index: 0x405,
    requires: amd,
    hardware: 1n << 18n,
    steps: [{ reads: 0n }, ...accepted(0xa200000012345678n, ones, 0n)],
    state: "= msr.0xc0010015 0x40000",
  },
  "status-read-only": {
    capabilities: 2n,
    index: 0x405,
    requires: amd,
    hardware: 1n << 24n,
    steps: [{ reads: 0n }, ...refused(0n, 1n, ones), ...accepted(0n)],
    state: "= msr.0xc0010015 0x1000000",
  },
};

/** The machine-check registers of as many banks, with as many features, as the host sets up. */
export default defineCases("msr/machine-check-banks", rows, (row) => {
  const { capabilities, index, steps, requires = [], hardware, state } = row;
  const shown = `0x${capabilities.toString(16)}`;
  return {
    spec: [
      "KVM API 4.105: KVM_X86_SETUP_MCE",
      "SDM 3B 16.3.1: machine-check global control MSRs",
      "SDM 3B 16.3.2: error-reporting register banks",
      "APM 2 3.2.10: HWCR, McStatusWrEn",
    ],
    requires: [
      "KVM_CAP_MCE",
      { cpuid: "MCA" },
      { cpuid: "MCE" },
      { parameter: "kvm.ignore_msrs", value: "N" },
      ...requires,
    ],
    ...msrSteps(
      index,
      steps,
      state,
      `> setup-mce ${shown}
      ${
        hardware === undefined
          ? ""
          : `> set-msrs msr.0xc0010015=0x${hardware.toString(16)} -> 0x1`
      }`,
    ),
    drive: ({ vcpu }) => {
      vcpu.setupMce(capabilities);
      if (hardware !== undefined) vcpu.setMsrs([{ index: 0xc0010015, data: hardware }]);
    },
  };
});
