import { asm, defineCases, type Route } from "../../mod.ts";

const rows = { "as-many": 0, "one-too-many": 1, "none": -Infinity };

/** A routing table has as many routes as KVM_CAP_IRQ_ROUTING answers, and one more is refused. */
export default defineCases("limits/irq-routes", rows, (more) => ({
  spec: ["KVM API 4.52: KVM_SET_GSI_ROUTING, KVM_CAP_IRQ_ROUTING"],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_IRQ_ROUTING"],
  guest: asm`
    out 0x10, al
    in al, 0x20
    out 0xf4, al
  `,
  drive({ vm, run, attempt }) {
    run();
    const most = vm.checkExtension("KVM_CAP_IRQ_ROUTING");
    const count = Math.max(0, most + more);
    // The last route takes GSI 4 to line 4 of the PIC, as the default does; the others lead nowhere.
    const routes = Array.from({ length: count }, (_, index): Route => (
      index === count - 1
        ? { gsi: 4, chip: "pic-master", pin: 4 }
        : { gsi: index < 4 ? index : Math.min(index + 1, most - 1), msi: { address: 0, data: 0 } }
    ));
    attempt(() => vm.irq.setRouting(routes));
    vm.irq.setLine(4, 1);
  },
  trace: `
    pio out 0x10 u8 0x0
    > routing entries=* ${more === 1 ? "-> EINVAL" : ""}
    > irq-line 0x4 0x1
    pio out 0xf4 u8 ${more === -Infinity ? "0x0" : "0x10"}
    = rax ${more === -Infinity ? "0x0" : "0x10"}
  `,
}));
