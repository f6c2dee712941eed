import { asm, defineCases, type PmuEventFilter } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

const rows: Record<string, { filter: PmuEventFilter; answer?: string }> = {
  "deny-nothing": { filter: { action: "deny", events: [] } },
  "allow-nothing": { filter: { action: "allow", events: [] } },
  // Instructions retired: select 0xc0, unit mask 0.
  "deny-one": { filter: { action: "deny", events: [0xc0], fixedCounters: 1 } },
  "action-2": { filter: { action: 2, events: [] }, answer: "EINVAL" },
  "300-events": { filter: { action: "deny", events: Array.from({ length: 300 }, (_, i) => i) } },
  "301-events": {
    filter: { action: "deny", events: Array.from({ length: 301 }, (_, i) => i) },
    answer: "E2BIG",
  },
};

/** A filter has at most 300 events and one of two actions. */
export default defineCases("system/pmu-filter", rows, ({ filter, answer }) => ({
  spec: [
    "KVM API 4.120: KVM_SET_PMU_EVENT_FILTER (E2BIG, EINVAL)",
    "arch/x86/kvm/pmu.c: KVM_PMU_EVENT_FILTER_MAX_EVENTS (6.1, 6.12)",
  ],
  mode: "real",
  requires: ["KVM_CAP_PMU_EVENT_FILTER"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    context.attempt(() => vm.setPmuEventFilter(filter));
  },
  trace: `
    > pmu-filter events=0x${filter.events.length.toString(16)} ${
    answer === undefined ? "" : `-> ${answer}`
  }
    hlt
  `,
}));
