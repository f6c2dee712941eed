import { integer, list, object, oneOf, unsigned32, unsigned64 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_pmu_event_filter } from "../../ffi/abi/control.ts";
import { encode } from "../../ffi/abi/layout.ts";

const actions = { allow: constants.KVM_PMU_EVENT_ALLOW, deny: constants.KVM_PMU_EVENT_DENY };

/** Which performance events a guest may count (`struct kvm_pmu_event_filter`, KVM API 4.120). */
export interface PmuEventFilter {
  /** What the list is: the only events that are allowed, or those that are denied. */
  readonly action: "allow" | "deny" | number;
  /** At most 300; an event is a select and a unit mask, or with `masked` a masked entry. */
  readonly events: readonly (bigint | number)[];
  /** A bit for each fixed counter: denied or allowed by `action`. */
  readonly fixedCounters?: number;
  /** KVM_PMU_EVENT_FLAG_MASKED_EVENTS: the entries have masks (KVM_CAP_PMU_EVENT_MASKED_EVENTS). */
  readonly masked?: boolean;
}

/**
 * The bytes of the structure with the events behind it.
 *
 * @throws {ArgumentError} when a number is not in range.
 */
export function encodePmuEventFilter(filter: PmuEventFilter): DataView<ArrayBuffer> {
  const { action, events, fixedCounters = 0, masked = false } = object("the filter", filter);
  const { length } = list("the events", events);
  const view = new DataView(new ArrayBuffer(kvm_pmu_event_filter.size + 8 * length));
  encode(kvm_pmu_event_filter, view, {
    action: typeof action === "number"
      ? integer("the action", action, 0, 0xffffffff)
      : actions[oneOf("the action", action, actions)],
    nevents: length,
    fixed_counter_bitmap: unsigned32("the fixed counters", fixedCounters),
    flags: masked ? constants.KVM_PMU_EVENT_FLAG_MASKED_EVENTS : 0,
  });
  events.forEach((event, index) => {
    view.setBigUint64(kvm_pmu_event_filter.size + 8 * index, unsigned64("an event", event), true);
  });
  return view;
}
