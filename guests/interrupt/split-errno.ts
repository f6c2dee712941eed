import { asm, defineCase } from "../../mod.ts";

/** With a split irqchip there are no chips to route to or to read, nor a second irqchip to make. */
export default defineCase({
  id: "interrupt/split-errno",
  spec: [
    "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP",
    "KVM API 4.24: KVM_CREATE_IRQCHIP",
    "KVM API 4.26: KVM_GET_IRQCHIP",
    "KVM API 4.52: KVM_SET_GSI_ROUTING",
  ],
  mode: "real",
  irqchip: "split",
  machine: { rflags: { set: 0x200n } },
  handlers: {},
  guest: asm`
    nop
    out 0xf4, al
  `,
  drive({ vm, attempt }) {
    attempt(() => vm.irq.createIrqchip());
    attempt(() => vm.irq.setRouting([{ gsi: 4, chip: "ioapic", pin: 4 }]));
    attempt(() => vm.irq.setRouting([{ gsi: 4, chip: "pic-master", pin: 4 }]));
  },
  trace: `
    > irqchip -> EEXIST
    > routing entries=0x1 -> EINVAL
    > routing entries=0x1 -> EINVAL
    pio out 0xf4 u8 0x0
  `,
});
