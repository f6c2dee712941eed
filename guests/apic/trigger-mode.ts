import { asm, defineCases } from "../../mod.ts";
import { localApics, vectors } from "./_local_apics.ts";

const LEVEL = 0xc000;

const rows = {
  // The data of messages in turn, and the vectors in the TMR then.
  "edge": { messages: [0x51], levels: [] },
  "level": { messages: [LEVEL | 0x51], levels: [0x51] },
  "level-then-edge": { messages: [LEVEL | 0x51, 0x51], levels: [] },
  "edge-then-level": { messages: [0x51, LEVEL | 0x51], levels: [0x51] },
  "neighbours": {
    messages: [LEVEL | 0x51, 0x50, LEVEL | 0x52, LEVEL | 0x71, 0x91],
    levels: [0x51, 0x52, 0x71],
  },
  "first-and-last": { messages: [LEVEL | 0x10, LEVEL | 0xff, 0x1f, 0xe0], levels: [0x10, 0xff] },
  "others-stay": { messages: [LEVEL | 0x51, LEVEL | 0x52, 0x51], levels: [0x52] },
};

/** The trigger mode register tells of each vector how its last interrupt was triggered. */
export default defineCases("apic/trigger-mode", rows, ({ messages, levels }) => ({
  spec: "SDM 3A 10.8.4: interrupt acceptance for fixed interrupts (TMR, upon acceptance)",
  mode: "real",
  requires: ["KVM_CAP_IRQCHIP", "KVM_CAP_SIGNAL_MSI"],
  guest: asm`hlt`,
  drive(context) {
    const local = localApics(context, [{ vcpu: 0 }]);
    using vm = local.vm;
    for (const data of messages) vm.irq.signalMsi({ address: 0xfee00000, data });
    const vcpu = local.vcpus[0]!;
    const requested = [...new Set(messages.map((data) => data & 0xff))].sort((a, b) => a - b);
    context.assertEquals("IRR", vectors(vcpu, 0x200), requested);
    context.assertEquals("TMR", vectors(vcpu, 0x180), levels);
    context.assertEquals("ISR", vectors(vcpu, 0x100), []);
  },
  trace: `hlt`,
}));
