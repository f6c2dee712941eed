import { defineCases } from "../../mod.ts";
import { acceptedCase } from "./_accepted.ts";
import { destinations } from "./_destinations.ts";

/** A pin's interrupt is accepted by each local APIC that its entry names, and by no other. */
export default defineCases("apic/pin-accepted", destinations, (row) => ({
  spec: [
    "82093AA 3.2.4: I/O redirection table registers, destination field",
    "KVM API 4.25: KVM_IRQ_LINE; KVM_CAP_IRQ_INJECT_STATUS",
    "SDM 3A 10.6.2: determining IPI destination",
  ],
  ...acceptedCase(row, (vm, vector, { assertEquals }) => {
    const { to, logical, lowest, level, accepted } = row;
    const state = vm.irq.ioapic();
    state.redirtbl[18] = BigInt(to) << 56n | BigInt(
      vector | (lowest ? 0x100 : 0) | (logical ? 0x800 : 0) | (level ? 0x8000 : 0),
    );
    vm.irq.setIoapic(state);
    const answer = vm.irq.setLineStatus(18, 1);
    if (accepted.length > 0) assertEquals("the answer", answer, lowest ? 1 : accepted.length);
    // Remote IRR, where it is level-triggered and was accepted.
    const remote = level && accepted.length > 0 ? 0x4000n : 0n;
    assertEquals("the entry", vm.irq.ioapic().redirtbl[18], state.redirtbl[18]! | remote);
  }),
}));
