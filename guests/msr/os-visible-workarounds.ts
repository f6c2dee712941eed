import { defineCases } from "../../mod.ts";
import { without } from "../_cpuid.ts";
import { msrSteps } from "./_access.ts";

const [ID_LENGTH, STATUS] = [0xc0010140, 0xc0010141];

const rows = {
  length: { index: ID_LENGTH, there: true },
  status: { index: STATUS, there: true },
  "length-absent": { index: ID_LENGTH, there: false },
  "status-absent": { index: STATUS, there: false },
};

/** OS-visible workarounds: two registers that a guest has if its CPUID shows them. */
export default defineCases("msr/os-visible-workarounds", rows, ({ index, there }) => {
  const steps = there
    ? [{ reads: "*" as const }, { write: 4n, reads: 4n }, { write: 9n, reads: 9n }, {
      write: 0n,
      reads: 0n,
    }]
    : [{ fault: true as const }, { write: 4n, fault: true as const }];
  const parts = msrSteps(index, steps);
  return {
    ...parts,
    spec: ["APM 2: OSVW_ID_Length, OSVW_Status (MSR C001_0140h, C001_0141h)", "APM 3: CPUID OSVW"],
    requires: [
      { backend: ["svm"] },
      { cpuid: "OSVW" },
      { parameter: "kvm.ignore_msrs", value: "N" },
    ],
    drive({ vcpu }) {
      if (!there) vcpu.setCpuid(without(0x80000001, 0, "ecx", 9));
    },
    trace: `${there ? "" : "> set-cpuid"}\n${parts.trace}`,
  };
});
