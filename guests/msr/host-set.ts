import { asm, defineCases, type Requirement } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";
import { offered, without } from "../_cpuid.ts";

type Bit = Parameters<typeof without>;

interface Row {
  index: number;
  /** MSRs that are set before. */
  before?: readonly (readonly [index: number, value: bigint])[];
  /** A bit of CPUID that the guest lacks. */
  hidden?: Bit;
  requires?: readonly Requirement[];
  /** Values in turn: whether KVM takes each, and what KVM_GET_MSRS then gives. */
  values: readonly (readonly [value: bigint, taken: boolean, reads?: bigint])[];
}

const svm = [{ backend: ["svm"] }] as const;
const faulting = 1n << 31n;

const rows: Record<string, Row> = {
  "platform-information": {
    index: 0xce,
    values: [[0n, true, 0n], [faulting, true, faulting], [0x123n, true, 0x123n]],
  },
  // CPUID faulting cannot go while it is on.
  "platform-information-faulting": {
    index: 0xce,
    before: [[0xce, faulting], [0x140, 1n]],
    values: [[0n, false, faulting], [0x123n, false, faulting], [
      faulting | 1n,
      true,
      faulting | 1n,
    ]],
  },
  "feature-enables": {
    index: 0x140,
    before: [[0xce, faulting]],
    values: [[1n, true, 1n], [2n, false, 1n], [3n, false, 1n], [1n << 32n, false, 1n], [
      0n,
      true,
      0n,
    ]],
  },
  "feature-enables-not-supported": {
    index: 0x140,
    before: [[0xce, 0n]],
    values: [[1n, false, 0n], [0n, true, 0n]],
  },
  "prediction-command": {
    index: 0x49,
    values: [[0n, true], [2n, false], [1n << 32n, false], [1n << 63n, false]],
  },
  "flush-command": { index: 0x10b, values: [[2n, false], [1n << 32n, false]] },
  "architectural-capabilities": {
    index: 0x10a,
    values: [[0n, true, 0n], [0x2bn, true, 0x2bn], [0n, true, 0n]],
  },
  "performance-capabilities": {
    index: 0x345,
    values: [[1n << 63n, false], [1n << 40n, false], [0n, true, 0n]],
  },
  "extended-supervisor-state": { index: 0xda0, values: [[0n, true, 0n], [1n << 62n, false, 0n]] },
  "extended-feature-disable": { index: 0x1c4, values: [[0n, true, 0n], [1n, false, 0n]] },
  "extended-feature-disable-error": { index: 0x1c5, values: [[0n, true, 0n], [1n, false, 0n]] },
  // The host sets it whether or not the guest has it.
  "tsc-aux-hidden": {
    index: 0xc0000103,
    hidden: [0x80000001, 0, "edx", 27],
    requires: [{ cpuid: "RDTSCP" }],
    values: [[0x12345678n, true, 0x12345678n], [0n, true, 0n]],
  },
  "tsc-ratio-hidden": {
    index: 0xc0000104,
    hidden: [0x8000000a, 0, "edx", 4],
    requires: svm,
    values: [
      [0n, true, 1n << 32n],
      [1n << 32n, true, 1n << 32n],
      [2n << 32n, false, 1n << 32n],
      [1n, false, 1n << 32n],
      [1n << 63n, false, 1n << 32n],
    ],
  },
  // KVM_SET_MSRS keeps a state that an older KVM let a guest make, but the address is a page's.
  "host-save-area": {
    index: 0xc0010117,
    requires: [...svm, { cpuid: "SVM" }],
    values: [[0xa000n, true, 0xa000n], [0xb123n, true, 0xb000n], [0n, true, 0n]],
  },
  "decode-configuration": {
    index: 0xc0011029,
    requires: svm,
    values: [[0n, true, 0n], [1n, false, 0n], [4n, false, 0n], [1n << 32n, false, 0n]],
  },
  "hardware-configuration": {
    index: 0xc0010015,
    requires: svm,
    values: [
      [0x1000000n, true, 0x1000000n],
      [0x1040148n, true, 0x1040000n],
      [0x10n, false, 0x1040000n],
      [0n, true, 0n],
    ],
  },
  "poll-control": {
    index: 0x4b564d05,
    values: [[0n, true, 0n], [2n, false, 0n], [1n << 32n, false, 0n], [1n, true, 1n]],
  },
  "tsc-adjust": {
    index: 0x3b,
    requires: [{ cpuid: "TSC-ADJUST" }],
    values: [[0x123456789abcn, true, 0x123456789abcn], [0n, true, 0n]],
  },
};

/** KVM_SET_MSRS holds the host to what an MSR can hold, but not to the guest's CPUID. */
export default defineCases("msr/host-set", rows, (row) => {
  const { index, before = [], hidden, requires = [], values } = row;
  return {
    spec: ["KVM API 4.19: KVM_SET_MSRS", "SDM 4 2: model-specific registers"],
    mode: "real",
    requires: [{ parameter: "kvm.ignore_msrs", value: "N" }, ...requires],
    guest: asm`hlt`,
    drive: (context) => {
      using vm = freshVm({ note: () => {} });
      const vcpu = vm.createVcpu();
      vcpu.setCpuid(hidden ? without(...hidden) : offered());
      for (const [other, data] of before) vcpu.setMsrs([{ index: other, data }]);
      for (const [data, taken, reads] of values) {
        const shown = `0x${data.toString(16)}`;
        context.assertEquals(`${shown} is taken`, vcpu.setMsrs([{ index, data }]), taken ? 1 : 0);
        if (reads !== undefined) {
          context.assertEquals(`read behind ${shown}`, vcpu.msrs([index])[0]?.data, reads);
        }
      }
    },
    trace: `hlt`,
  };
});
