/** What a guest may not touch: filters of MSRs and of performance events. */
import { addressOf } from "../../ffi/address.ts";
import {
  ArgumentError,
  bytes,
  integer,
  list,
  object,
  shown,
  unsigned32,
  unsigned64,
} from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_pmu_event_filter } from "../../ffi/abi/control.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { kvm_msr_filter } from "../../ffi/abi/registers.ts";

/** A range of MSRs with one bit for each (`struct kvm_msr_filter_range`, KVM API 4.97). */
export interface MsrFilterRange {
  /** Which accesses the bitmap is for. */
  readonly access: "read" | "write" | "read-write" | { readonly flags: number };
  /** The first MSR. */
  readonly base: number;
  /** How many MSRs; 0 leaves the range unused. */
  readonly count: number;
  /** A bit an MSR, lowest first: 1 allows the access, 0 denies it. */
  readonly bitmap: Uint8Array;
}

/** Which MSRs a guest may access (`struct kvm_msr_filter`, KVM API 4.97). */
export interface MsrFilter {
  /** What becomes of an access that no range covers; default `"allow"`. */
  readonly fallback?: "allow" | "deny" | { readonly flags: number };
  /** At most 16 ranges. None at all switches filtering off. */
  readonly ranges: readonly MsrFilterRange[];
}

const accesses = {
  read: constants.KVM_MSR_FILTER_READ,
  write: constants.KVM_MSR_FILTER_WRITE,
  "read-write": constants.KVM_MSR_FILTER_READ | constants.KVM_MSR_FILTER_WRITE,
} as const;

const fallbacks = {
  allow: constants.KVM_MSR_FILTER_DEFAULT_ALLOW,
  deny: constants.KVM_MSR_FILTER_DEFAULT_DENY,
} as const;

function flagsOf<T extends string>(
  what: string,
  value: T | { readonly flags: number },
  names: Readonly<Record<T, number>>,
): number {
  if (typeof value === "string" && Object.hasOwn(names, value)) return names[value];
  if (typeof value === "object" && value !== null) return unsigned32(`${what}'s flags`, value.flags);
  throw new ArgumentError(`${what} is ${shown(value)}: give ${Object.keys(names).join(", ")}`);
}

/**
 * The bytes of the structure, and the bitmaps that it points to: keep them until KVM has read them.
 *
 * @throws {ArgumentError} when a range or its bitmap is not as the structure needs it.
 */
export function encodeMsrFilter(
  filter: MsrFilter,
): { view: DataView<ArrayBuffer>; bitmaps: readonly Uint8Array<ArrayBuffer>[] } {
  const { fallback = "allow", ranges } = object("the filter", filter);
  list("the ranges", ranges, constants.KVM_MSR_FILTER_MAX_RANGES);
  const bitmaps: Uint8Array<ArrayBuffer>[] = [];
  const encoded = Array.from({ length: constants.KVM_MSR_FILTER_MAX_RANGES }, (_, index) => {
    if (index >= ranges.length) return { flags: 0, nmsrs: 0, base: 0, bitmap: 0n };
    const { access, base, count, bitmap } = object("a range", ranges[index]);
    const nmsrs = unsigned32("the count of a range", count);
    // KVM reads whole words of 64 bits.
    const words = new Uint8Array(new ArrayBuffer(Math.max(8, Math.ceil(nmsrs / 64) * 8 % 2 ** 20)));
    const given = bytes("the bitmap of a range", bitmap, Math.min(Math.ceil(nmsrs / 8), 2 ** 16));
    words.set(given.subarray(0, words.length));
    bitmaps.push(words);
    return {
      flags: flagsOf("the access of a range", access, accesses),
      nmsrs,
      base: unsigned32("the base of a range", base),
      bitmap: addressOf(words),
    };
  });
  const view = new DataView(new ArrayBuffer(kvm_msr_filter.size));
  const flags = flagsOf("the fallback", fallback, fallbacks);
  encode(kvm_msr_filter, view, { flags, ranges: encoded });
  return { view, bitmaps };
}

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
  const numbered = { allow: constants.KVM_PMU_EVENT_ALLOW, deny: constants.KVM_PMU_EVENT_DENY };
  const view = new DataView(new ArrayBuffer(kvm_pmu_event_filter.size + 8 * length));
  encode(kvm_pmu_event_filter, view, {
    action: typeof action === "number"
      ? integer("the action", action, 0, 0xffffffff)
      : flagsOf("the action", action, numbered),
    nevents: length,
    fixed_counter_bitmap: unsigned32("the fixed counters", fixedCounters),
    flags: masked ? constants.KVM_PMU_EVENT_FLAG_MASKED_EVENTS : 0,
  });
  events.forEach((event, index) => {
    view.setBigUint64(kvm_pmu_event_filter.size + 8 * index, unsigned64("an event", event), true);
  });
  return view;
}
