import { defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused } from "./_access.ts";

const reset = 0x0007040600070406n;
const [types, reserved] = [[0n, 1n, 4n, 5n, 6n, 7n], [
  2n,
  3n,
  8n,
  0x10n,
  0x20n,
  0x40n,
  0x80n,
  0xffn,
]];
const entries = Array.from({ length: 8 }, (_, entry) => entry);

const rows = Object.fromEntries(entries.flatMap((entry) => {
  const lane = BigInt(8 * entry);
  const value = (type: bigint) => (reset & ~(0xffn << lane)) | type << lane;
  return [
    [`entry-${entry}`, { steps: accepted(...types.map(value)), left: value(7n) }],
    [`entry-${entry}-reserved`, { steps: refused(reset, ...reserved.map(value)), left: reset }],
  ] as const;
}));

/** Each of the eight entries takes six memory types, and #GP(0) meets 2, 3 and all above 7. */
export default defineCases("msr/pat", rows, ({ steps, left }) => ({
  spec: ["SDM 3A 12.12.2: IA32_PAT MSR", "APM 2 7.8.1: PAT register"],
  requires: [{ cpuid: "PAT" }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(0x277, [{ reads: reset }, ...steps], `= msr.0x277 0x${left.toString(16)}`),
}));
