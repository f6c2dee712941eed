import { defineCases } from "../../mod.ts";
import { destinations } from "./_destinations.ts";
import { acceptedCase } from "./_accepted.ts";

/** A message is accepted by each local APIC that its address names, and by no other. */
export default defineCases("apic/message-accepted", destinations, (row) => ({
  spec: [
    "KVM API 4.70: KVM_SIGNAL_MSI",
    "SDM 3A 10.11: message signalled interrupts",
    "SDM 3A 10.6.2: determining IPI destination",
  ],
  ...acceptedCase(row, (vm, vector, { assertEquals, attempt }) => {
    const { to, logical, lowest, level, accepted } = row;
    // The redirection hint says it, or the delivery mode, or both.
    const [hint, mode] = [lowest && vector !== 0x51, lowest && vector !== 0x90];
    const message = {
      address: 0xfee00000 + (to << 12) + (hint ? 8 : 0) + (logical ? 4 : 0),
      data: vector | (mode ? 0x100 : 0) | (level ? 0xc000 : 0),
    };
    // Whether a message to nobody is blocked or an error is left open.
    if (accepted.length === 0) attempt(() => vm.irq.signalMsi(message));
    else assertEquals("it was delivered", vm.irq.signalMsi(message) > 0, true);
  }),
}));
