import { defineCase } from "../../mod.ts";
import { msrSteps, refused } from "./_access.ts";

const IA32_MISC_ENABLE = 0x1a0;
/** Bits 11 and 12: there is no branch trace store, no precise event-based sampling. */
const UNAVAILABLE = 0x1800n;
/** Bit 7, performance monitoring available: a write does not change it. */
const MONITORING = 0x80n;

/** A guest changes what it may enable, not what the processor is said to have. */
export default defineCase({
  id: "msr/miscellaneous-enable",
  spec: "SDM 4 2.1: IA32_MISC_ENABLE",
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(
    IA32_MISC_ENABLE,
    [
      { reads: UNAVAILABLE },
      { write: UNAVAILABLE | 1n, reads: UNAVAILABLE | 1n },
      ...refused(UNAVAILABLE | 1n, 1n, 0x801n, 0x1001n),
      { write: UNAVAILABLE | MONITORING, reads: UNAVAILABLE },
      { write: UNAVAILABLE | 1n, reads: UNAVAILABLE | 1n },
    ],
    "= msr.0x1a0 0x1801",
    "> set-msrs msr.0x1a0=0x1800 -> 0x1",
  ),
  drive: ({ vcpu }) => {
    vcpu.setMsrs([{ index: IA32_MISC_ENABLE, data: UNAVAILABLE }]);
  },
});
