/** The form of the table of KVM's API. */

/** One entry. */
export interface ApiEntry {
  /** The document's section; `kvm.h` for what has no heading of its own. */
  readonly section: string;
  /** `Class.method`, or `exit NAME` for a variant of `Exit`; nothing only with a reason. */
  readonly wrapped: readonly string[];
  /** Patterns of cases, and files of tests; nothing only with a reason. */
  readonly asserted: readonly string[];
  /** What a host must have; `basic` for nothing but KVM. */
  readonly needs: string;
  /** Why it is not wrapped, or not asserted. */
  readonly reason?: string;
}

/** An entry as the tables write it: lists are words with blanks between. */
export type Row = readonly [
  section: string,
  wrapped: string,
  asserted: string,
  needs: string,
  reason?: string,
];

/** How a capability of a VM is switched on. */
export const enable = "Vm.enableCapability";
/** The case that switches a capability on. */
export const enabling = (row: string) => `system/enable-capability~${row}`;
