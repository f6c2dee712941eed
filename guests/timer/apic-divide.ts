import { asm, defineCases } from "../../mod.ts";
import { localApics } from "../apic/_local_apics.ts";

/** Divide configuration, what it divides by, and nanoseconds of a bus cycle. */
const rows = {
  "by-2": { divide: 0x0, by: 2, bus: 1 },
  "by-4": { divide: 0x1, by: 4, bus: 1 },
  "by-8": { divide: 0x2, by: 8, bus: 1 },
  "by-16": { divide: 0x3, by: 16, bus: 1 },
  "by-32": { divide: 0x8, by: 32, bus: 1 },
  "by-64": { divide: 0x9, by: 64, bus: 1 },
  "by-128": { divide: 0xa, by: 128, bus: 1 },
  "by-1": { divide: 0xb, by: 1, bus: 1 },
  "bus-of-25-by-1": { divide: 0xb, by: 1, bus: 25 },
  "bus-of-10-by-16": { divide: 0x3, by: 16, bus: 10 },
};

/**
 * The current count goes down by one every so many bus cycles: between two readings by as many as
 * the host's clock says at least and at most, however long they were apart.
 */
export default defineCases("timer/apic-divide", rows, ({ divide, by, bus }) => ({
  spec: [
    "SDM 3A 10.5.4: APIC timer, divide configuration register",
    "KVM API 4.58: KVM_SET_LAPIC",
    "KVM API 7.36: KVM_CAP_X86_APIC_BUS_CYCLES_NS (1 ns by default)",
  ],
  mode: "real",
  requires: bus === 1 ? ["KVM_CAP_IRQCHIP"] : ["KVM_CAP_IRQCHIP", "KVM_CAP_X86_APIC_BUS_CYCLES_NS"],
  guest: asm`hlt`,
  drive(context) {
    const local = localApics(context, [{ vcpu: 0 }], 0, bus);
    using _vm = local.vm;
    const vcpu = local.vcpus[0]!;
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    const initial = 0xf0000000;
    view.setUint32(0x3e0, divide, true);
    view.setUint32(0x320, 0x10071, true);
    view.setUint32(0x380, initial, true);
    view.setUint32(0x390, initial, true);
    const beforeStart = performance.now();
    vcpu.setLapic(page);
    const started = performance.now();
    while (performance.now() < started + 8);
    const beforeEnd = performance.now();
    const left = new DataView(vcpu.lapic().buffer).getUint32(0x390, true);
    const ended = performance.now();
    const milliseconds = (initial - left) * by * bus / 1e6;
    // A tick of either clock may be missing.
    const fits = milliseconds > (beforeEnd - started) * 0.98 - 0.2 &&
      milliseconds < (ended - beforeStart) * 1.02 + 0.2;
    context.assertEquals(
      "the count went down with the clock",
      fits || `${milliseconds} of ${beforeEnd - started} to ${ended - beforeStart} ms`,
      true,
    );
  },
  trace: `hlt`,
}));
