import { asm, defineCases } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

const rows = {
  // Event select in bits 7:0 (and on AMD 35:32), match 15:8, exclude 55, mask 63:56 (KVM_PMU_ENCODE_MASKED_ENTRY).
  valid: { event: 0xff80_0000_0000_ffffn, answer: "" },
  "reserved-bit-16": { event: 1n << 16n, answer: "-> EINVAL" },
  "reserved-bit-31": { event: 1n << 31n, answer: "-> EINVAL" },
  "reserved-bit-36": { event: 1n << 36n, answer: "-> EINVAL" },
  "reserved-bit-54": { event: 1n << 54n, answer: "-> EINVAL" },
};

/** A masked entry's reserved bits are refused. */
export default defineCases("system/pmu-filter-masked", rows, ({ event, answer }) => ({
  spec: ["KVM API 4.120: KVM_PMU_EVENT_FLAG_MASKED_EVENTS (EINVAL for reserved bits)"],
  mode: "real",
  requires: ["KVM_CAP_PMU_EVENT_FILTER", "KVM_CAP_PMU_EVENT_MASKED_EVENTS"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    context.attempt(() => vm.setPmuEventFilter({ action: "deny", events: [event], masked: true }));
  },
  trace: `
    > pmu-filter events=0x1 ${answer}
    hlt
  `,
}));
