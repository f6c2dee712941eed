import { asm, defineCase } from "../../mod.ts";

/** Each GSI of the default routes is the IOAPIC's pin of its number, the first 16 a PIC's line too. */
export default defineCase({
  id: "interrupt/routing-default-lines",
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP, IRQ routing", "KVM API 4.26: KVM_GET_IRQCHIP"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`out 0xf4, al`,
  drive({ vm, assertEquals }) {
    const { observer } = vm;
    vm.observer = undefined;
    for (let gsi = 0; gsi < 25; gsi++) {
      vm.irq.setLine(gsi, 1);
      const chips = [vm.irq.pic("pic-master"), vm.irq.pic("pic-slave"), vm.irq.ioapic()];
      // The slave asks on the master's line 2; both keep an edge that is over.
      const bit = 1 << gsi;
      assertEquals(`GSI ${gsi}`, chips.map(({ irr }) => irr), [
        (bit & 0xff) | (gsi > 7 && gsi < 16 ? 4 : 0),
        bit >> 8 & 0xff,
        bit & 0xffffff,
      ]);
      vm.irq.setLine(gsi, 0);
      for (const chip of ["pic-slave", "pic-master"] as const) {
        vm.irq.setPic(chip, { ...vm.irq.pic(chip), irr: 0 });
      }
    }
    vm.observer = observer;
  },
  trace: `pio out 0xf4 u8 0x0`,
});
