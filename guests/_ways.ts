/** How a case has its instruction run: by the CPU, or by KVM's instruction emulator. */
import type { Requirement } from "../mod.ts";

/**
 * How an instruction comes to be run: as it is, or by KVM's instruction emulator, which a prefix of
 * five bytes asks for where the module parameter allows it.
 */
export const ways: Readonly<Record<"" | "-forced", { prefix: string; requires: Requirement[] }>> = {
  "": { prefix: "", requires: [] },
  "-forced": {
    prefix: "db 0x0f, 0x0b, 0x6b, 0x76, 0x6d",
    // Where every guest is emulated it says nothing more.
    requires: [{ backend: ["svm", "vmx"] }, {
      parameter: "kvm.force_emulation_prefix",
      value: "1",
    }],
  },
};

/** One of {@link ways}. */
export type Way = (typeof ways)[keyof typeof ways];

/** The rows of a table, each in both ways. */
export function inBothWays<Row>(
  rows: Readonly<Record<string, Row>>,
): Record<string, { row: Row; way: Way }> {
  return Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) =>
      Object.entries(ways).map(([suffix, way]) => [name + suffix, { row, way }])
    ),
  );
}

/**
 * The same for what tells of KVM's instruction emulator alone, such as its faults: where KVM does not
 * run every instruction in it, the prefix is the only way there.
 */
export function emulated<Row>(
  rows: Readonly<Record<string, Row>>,
): Record<string, { row: Row; way: Way }> {
  const direct: Way = { prefix: "", requires: [{ backend: ["pvm"] }] };
  return Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) => [
      [name, { row, way: direct }],
      [`${name}-forced`, { row, way: ways["-forced"] }],
    ]),
  );
}

/** The same for what a host that runs every instruction in the emulator has no other way to run. */
export function forced<Row>(
  rows: Readonly<Record<string, Row>>,
): Record<string, { row: Row; way: Way }> {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => [`${name}-forced`, { row, way: ways["-forced"] }]),
  );
}
