import { asm, defineCases } from "../../mod.ts";

const rows = { highest: 1, "one-too-high": 0, "32-bits": -Infinity };

/** A GSI is below KVM_CAP_IRQ_ROUTING. */
export default defineCases("limits/gsi", rows, (below) => ({
  spec: [
    "KVM API 4.52: KVM_SET_GSI_ROUTING",
    "virt/kvm/irqchip.c: setup_routing_entry, KVM_MAX_IRQ_ROUTES (6.1, 6.12)",
  ],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_IRQ_ROUTING"],
  guest: asm`
    out 0x10, al
    in al, 0x20
    out 0xf4, al
  `,
  drive({ vm, run, attempt, note }) {
    run();
    const most = vm.checkExtension("KVM_CAP_IRQ_ROUTING");
    const gsi = below === -Infinity ? 0xffffffff : most - below;
    attempt(() => vm.irq.setRouting([{ gsi, chip: "pic-master", pin: 5 }]));
    const { observer } = vm;
    vm.observer = undefined;
    if (below === 1) vm.irq.setLine(gsi, 1);
    vm.observer = observer;
    note("routed");
  },
  trace: `
    pio out 0x10 u8 0x0
    > routing entries=0x1 ${below === 1 ? "" : "-> EINVAL"}
    > routed
    pio out 0xf4 u8 ${below === 1 ? "0x20" : "0x0"}
    = rax ${below === 1 ? "0x20" : "0x0"}
  `,
}));
