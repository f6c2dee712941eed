import { bytes, list, object, oneOf, unsigned32 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { kvm_msr_filter } from "../../ffi/abi/registers.ts";
import { Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import type { ActionOperand } from "./action.ts";

/** A range of MSRs with a decision for each: a part of {@link MsrFilter}. */
export interface MsrFilterRange {
  /** Which accesses the range decides on. */
  readonly access: "read" | "write" | "read-write";
  /** Index of the first MSR, 32 bits. */
  readonly base: number;
  /** How many MSRs, 1 to 12288; default the bits of {@link allowed}. */
  readonly count?: number;
  /** One bit for each MSR, the lowest of a byte first: 1 allows the access, 0 denies it. */
  readonly allowed: Uint8Array;
}

/** Which MSRs a guest may access (KVM_X86_SET_MSR_FILTER, KVM API 4.97). */
export interface MsrFilter {
  /** What becomes of an access that no range covers; default `"allow"`. */
  readonly otherwise?: "allow" | "deny";
  /** At most 16; none, or an absent list, switches the filter off. */
  readonly ranges?: readonly MsrFilterRange[];
}

const accesses = {
  read: constants.KVM_MSR_FILTER_READ,
  write: constants.KVM_MSR_FILTER_WRITE,
  "read-write": constants.KVM_MSR_FILTER_READ | constants.KVM_MSR_FILTER_WRITE,
} as const;

/**
 * A filter whose parts are of the kinds that they have to be.
 *
 * @throws {ArgumentError} when there are more than 16 ranges, or one has no bits for its MSRs.
 */
function check(filter: MsrFilter): Required<MsrFilter> {
  const { otherwise = "allow", ranges = [] } = object("the filter", filter);
  oneOf("the fallback of a filter", otherwise, { allow: 0, deny: 1 });
  list("the ranges of a filter", ranges, constants.KVM_MSR_FILTER_MAX_RANGES);
  for (const range of ranges) {
    const { access, base, allowed, count } = object("a range", range);
    oneOf("the access of a range", access, accesses);
    unsigned32("the base of a range", base);
    // KVM reads a bit for each MSR, whether there is one or not.
    const needed = count === undefined ? 0 : unsigned32("the count of a range", count) / 8;
    bytes("the bits of a range", allowed, Math.ceil(needed));
  }
  return { otherwise, ranges };
}

/**
 * Calls `body` with the structure that a filter encodes to; its bitmaps are there until `body`
 * returns.
 *
 * @throws {ArgumentError} when there are more than 16 ranges, or one is not as it has to be.
 */
export function withMsrFilter(
  filter: MsrFilter,
  body: (filter: DataView<ArrayBuffer>) => void,
): void {
  const { otherwise, ranges } = check(filter);
  const limit = constants.KVM_MSR_FILTER_MAX_RANGES;
  // KVM reads whole words of 64 bits.
  const places = [0];
  for (const { allowed } of ranges) {
    places.push(places[places.length - 1] + ((allowed.length + 7) & ~7));
  }
  const size = Math.ceil((places[ranges.length] + 1) / PAGE_SIZE) * PAGE_SIZE;
  using bitmaps = Mapping.anonymous(size);
  const view = new DataView(new ArrayBuffer(kvm_msr_filter.size));
  encode(kvm_msr_filter, view, {
    flags: otherwise === "deny"
      ? constants.KVM_MSR_FILTER_DEFAULT_DENY
      : constants.KVM_MSR_FILTER_DEFAULT_ALLOW,
    ranges: Array.from({ length: limit }, (_, number) => {
      const range = ranges[number];
      if (range === undefined) return { flags: 0, nmsrs: 0, base: 0, bitmap: 0n };
      const { access, base, allowed, count = allowed.length * 8 } = range;
      bitmaps.bytes.set(allowed, places[number]);
      const bitmap = bitmaps.address + BigInt(places[number]);
      return { flags: accesses[access], nmsrs: count, base, bitmap };
    }),
  });
  body(view);
}

/** The operands of the action's `>` line: the default, and base and size of each range. */
export function msrFilterOperands(filter: MsrFilter): ActionOperand[] {
  const { otherwise, ranges } = check(filter);
  return [
    `otherwise-${otherwise}`,
    ...ranges.map(({ access, base }): ActionOperand => [access, base]),
  ];
}
