import type { LocalApic } from "./_local_apics.ts";

/** Where an interrupt of a device goes among several local APICs. */
export interface Destination {
  /** The local APICs. */
  readonly apics: readonly LocalApic[];
  /** Eight bits. */
  readonly to: number;
  /** Logical, not physical. */
  readonly logical?: true;
  /** Lowest priority: one of those that it names. */
  readonly lowest?: true;
  /** Level-triggered. */
  readonly level?: true;
  /** The ids of the vCPUs that accept it. */
  readonly accepted: readonly number[];
}

const flat: LocalApic[] = [0, 1, 2, 3].map((vcpu) => ({ vcpu, logical: 1 << vcpu }));
const cluster: LocalApic[] = [0x11, 0x12, 0x21, 0x28].map((logical, vcpu) => ({
  vcpu,
  logical,
  format: 0x0fffffff,
}));
// Each APIC matches by its own model.
const mixed: LocalApic[] = [
  { vcpu: 0, logical: 0x12 },
  { vcpu: 1, logical: 0x12, format: 0x0fffffff },
  { vcpu: 2, logical: 0x31, format: 0x0fffffff },
  { vcpu: 3, logical: 0x80 },
];
const shared: LocalApic[] = [1, 1, 2, 4].map((logical, vcpu) => ({ vcpu, logical }));
const software: LocalApic[] = flat.map((apic) =>
  apic.vcpu === 2 ? { ...apic, spurious: 0xff } : apic
);
const hardware: LocalApic[] = flat.map((apic) =>
  apic.vcpu === 1 ? { vcpu: 1, mode: "disabled" } : apic
);
const renamed: LocalApic[] = flat.map((apic) => apic.vcpu === 1 ? { ...apic, id: 9 } : apic);
const twins: LocalApic[] = flat.map((apic) => apic.vcpu > 1 ? { ...apic, id: 7 } : apic);
const twinsAndX2apic: LocalApic[] = [
  { vcpu: 0, mode: "x2apic" },
  { vcpu: 1, id: 7, logical: 2 },
  { vcpu: 2, id: 7, logical: 4 },
  { vcpu: 3, mode: "x2apic" },
];
// One of two that match by different models does not take part.
const mixedDisabled: LocalApic[] = mixed.map((apic) =>
  apic.vcpu === 0 ? { ...apic, spurious: 0xff } : apic
);
const x2apic: LocalApic[] = [0, 1, 2, 17, 18].map((vcpu) => ({ vcpu, mode: "x2apic" }));
const both: LocalApic[] = [
  { vcpu: 0, mode: "x2apic" },
  { vcpu: 1, logical: 0x02 },
  { vcpu: 2, mode: "x2apic" },
  { vcpu: 3, logical: 0x08 },
];

/** Destinations of eight bits, which a message and a pin of the IOAPIC can both name. */
export const destinations: Readonly<Record<string, Destination>> = {
  "physical-first": { apics: flat, to: 0, accepted: [0] },
  "physical-last": { apics: flat, to: 3, accepted: [3] },
  "physical-absent": { apics: flat, to: 4, accepted: [] },
  "physical-broadcast": { apics: flat, to: 0xff, accepted: [0, 1, 2, 3] },
  "physical-level": { apics: flat, to: 2, level: true, accepted: [2] },
  "flat-one": { apics: flat, to: 0x04, logical: true, accepted: [2] },
  "flat-two": { apics: flat, to: 0x0a, logical: true, accepted: [1, 3] },
  "flat-all": { apics: flat, to: 0x0f, logical: true, accepted: [0, 1, 2, 3] },
  "flat-beyond": { apics: flat, to: 0xf8, logical: true, accepted: [3] },
  "flat-absent": { apics: flat, to: 0x70, logical: true, accepted: [] },
  "flat-broadcast": { apics: flat, to: 0xff, logical: true, accepted: [0, 1, 2, 3] },
  "flat-level": { apics: flat, to: 0x05, logical: true, level: true, accepted: [0, 2] },
  "flat-lowest": { apics: flat, to: 0x0e, logical: true, lowest: true, accepted: [1, 2, 3] },
  "flat-lowest-one": { apics: flat, to: 0x08, logical: true, lowest: true, accepted: [3] },
  "cluster-one": { apics: cluster, to: 0x12, logical: true, accepted: [1] },
  "cluster-two": { apics: cluster, to: 0x13, logical: true, accepted: [0, 1] },
  "cluster-second": { apics: cluster, to: 0x29, logical: true, accepted: [2, 3] },
  "cluster-last-bit": { apics: cluster, to: 0x28, logical: true, accepted: [3] },
  "cluster-others": { apics: cluster, to: 0x1c, logical: true, accepted: [] },
  "cluster-absent": { apics: cluster, to: 0x3f, logical: true, accepted: [] },
  "cluster-broadcast": { apics: cluster, to: 0xff, logical: true, accepted: [0, 1, 2, 3] },
  "cluster-physical": { apics: cluster, to: 2, accepted: [2] },
  "cluster-lowest": { apics: cluster, to: 0x29, logical: true, lowest: true, accepted: [2, 3] },
  "mixed-both-models": { apics: mixed, to: 0x12, logical: true, accepted: [0, 1] },
  "mixed-cluster-alone": { apics: mixed, to: 0x21, logical: true, accepted: [] },
  "mixed-cluster-and-flat": { apics: mixed, to: 0x31, logical: true, accepted: [0, 2] },
  "mixed-cluster-other-bits": { apics: mixed, to: 0x32, logical: true, accepted: [0] },
  "mixed-flat-alone": { apics: mixed, to: 0x82, logical: true, accepted: [0, 3] },
  "mixed-broadcast": { apics: mixed, to: 0xff, logical: true, accepted: [0, 1, 2, 3] },
  "mixed-physical": { apics: mixed, to: 1, accepted: [1] },
  "mixed-lowest": { apics: mixed, to: 0x12, logical: true, lowest: true, accepted: [0, 1] },
  "mixed-disabled-lowest": {
    apics: mixedDisabled,
    to: 0x12,
    logical: true,
    lowest: true,
    accepted: [1],
  },
  "shared-logical-id": { apics: shared, to: 0x01, logical: true, accepted: [0, 1] },
  "shared-and-other": { apics: shared, to: 0x05, logical: true, accepted: [0, 1, 3] },
  "shared-lowest": { apics: shared, to: 0x03, logical: true, lowest: true, accepted: [0, 1, 2] },
  // A local APIC that is disabled accepts no fixed interrupt.
  "software-disabled": { apics: software, to: 0x0f, logical: true, accepted: [0, 1, 3] },
  "software-disabled-physical": { apics: software, to: 2, accepted: [] },
  "software-disabled-broadcast": { apics: software, to: 0xff, accepted: [0, 1, 3] },
  "hardware-disabled": { apics: hardware, to: 0x0f, logical: true, accepted: [0, 2, 3] },
  "hardware-disabled-physical": { apics: hardware, to: 1, accepted: [] },
  "hardware-disabled-broadcast": { apics: hardware, to: 0xff, accepted: [0, 2, 3] },
  "renamed": { apics: renamed, to: 9, accepted: [1] },
  "renamed-former": { apics: renamed, to: 1, accepted: [] },
  "renamed-others": { apics: renamed, to: 2, accepted: [2] },
  "twins": { apics: twins, to: 7, accepted: [2, 3] },
  "twins-others": { apics: twins, to: 1, accepted: [1] },
  "twins-beside-x2apic": { apics: twinsAndX2apic, to: 7, accepted: [1, 2] },
  "x2apic-beside-twins": { apics: twinsAndX2apic, to: 3, accepted: [3] },
  "x2apic-beside-twins-absent": { apics: twinsAndX2apic, to: 1, accepted: [] },
  "x2apic-beside-twins-logical": {
    apics: twinsAndX2apic,
    to: 0x09,
    logical: true,
    accepted: [0, 3],
  },
  "x2apic-physical": { apics: x2apic, to: 17, accepted: [17] },
  "x2apic-absent": { apics: x2apic, to: 3, accepted: [] },
  "x2apic-logical": { apics: x2apic, to: 0x05, logical: true, accepted: [0, 2] },
  "x2apic-logical-absent": { apics: x2apic, to: 0x38, logical: true, accepted: [] },
  "x2apic-lowest": { apics: x2apic, to: 0x07, logical: true, lowest: true, accepted: [0, 1, 2] },
  // Without KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK.
  "x2apic-broadcast": { apics: x2apic, to: 0xff, accepted: [0, 1, 2, 17, 18] },
  "both-xapic-physical": { apics: both, to: 1, accepted: [1] },
  "both-x2apic-physical": { apics: both, to: 2, accepted: [2] },
  "both-logical": { apics: both, to: 0x0d, logical: true, accepted: [0, 2, 3] },
  "both-broadcast": { apics: both, to: 0xff, accepted: [0, 1, 2, 3] },
};
