/** The instruction that calls the hypervisor: each vendor has its own (KVM x86 hypercalls). */

import type { Requirement } from "../mod.ts";

/** An instruction and the hosts whose own it is. */
export interface Call {
  readonly instruction: string;
  readonly requires: Requirement;
}

/** By mnemonic. */
export const calls: Readonly<Record<"vmcall" | "vmmcall", Call>> = {
  vmcall: { instruction: "vmcall", requires: { backend: ["vmx"] } },
  vmmcall: { instruction: "vmmcall", requires: { backend: ["svm"] } },
};

/** The rows of a table, each with both instructions. */
export function byEachCall<Row>(
  rows: Readonly<Record<string, Row>>,
): Record<string, { row: Row; call: Call }> {
  return Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) =>
      Object.entries(calls).map(([suffix, call]) => [`${name}-${suffix}`, { row, call }])
    ),
  );
}
