import { defineCases } from "../../mod.ts";
import { msrSteps, refused, type Step } from "./_access.ts";

const x2apic = 0xfee00d00n, xapic = 0xfee00900n, disabled = 0xfee00100n;

const rows: Record<string, { steps: readonly Step[]; after: string }> = {
  reset: { steps: [{ reads: xapic }], after: "" },
  reserved: {
    steps: refused(
      xapic,
      // Bits 7 to 0, 9, and those above any physical address.
      ...[0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 9n, 52n, 63n].map((bit) => xapic | 1n << bit),
    ),
    after: "",
  },
  "x2apic": { steps: [{ write: x2apic, reads: x2apic }], after: "= apic-base 0xfee00d00" },
  // Out of x2APIC mode the way leads through the disabled APIC.
  "x2apic-to-xapic": {
    steps: [{ write: x2apic, reads: x2apic }, ...refused(x2apic, xapic)],
    after: "= apic-base 0xfee00d00",
  },
  "x2apic-to-disabled-to-xapic": {
    steps: [
      { write: x2apic, reads: x2apic },
      { write: disabled, reads: disabled },
      { write: xapic, reads: xapic },
    ],
    after: "",
  },
  // The bit of x2APIC mode without the enable bit is no mode.
  "invalid": {
    steps: refused(xapic, 0xfee00500n),
    after: "",
  },
  "disabled-to-x2apic": {
    steps: [{ write: disabled, reads: disabled }, ...refused(disabled, x2apic)],
    after: "= apic-base 0xfee00100",
  },
  "disabled-to-invalid": {
    steps: [{ write: disabled, reads: disabled }, ...refused(disabled, 0xfee00500n)],
    after: "= apic-base 0xfee00100",
  },
};

/** IA32_APIC_BASE goes through the modes of the local APIC in the order that the SDM allows. */
export default defineCases("msr/apic-base", rows, ({ steps, after }) => ({
  spec: [
    "SDM 3A 10.4.4: local APIC status and location",
    "SDM 3A 10.12.5: x2APIC state transitions",
  ],
  irqchip: "kernel",
  requires: [{ cpuid: "X2APIC" }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...msrSteps(0x1b, steps, after),
}));
