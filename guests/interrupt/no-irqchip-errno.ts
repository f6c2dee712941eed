import { asm, defineCase, KvmError } from "../../mod.ts";

/** Without an interrupt controller in the kernel its lines, routes and eventfds are refused. */
export default defineCase({
  id: "interrupt/no-irqchip-errno",
  spec: [
    "KVM API 4.25: KVM_IRQ_LINE needs KVM_CREATE_IRQCHIP",
    "KVM API 4.26: KVM_GET_IRQCHIP",
    "KVM API 4.52: KVM_SET_GSI_ROUTING",
    "KVM API 4.70: KVM_SIGNAL_MSI",
  ],
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  handlers: {},
  guest: asm`
    nop
    out 0x10, al
    hlt
  `,
  drive({ vm, attempt, assertEquals }) {
    attempt(() => vm.irq.setLine(4, 1));
    attempt(() => vm.irq.setLineStatus(4, 1));
    for (const chip of ["pic-master", "pic-slave", "ioapic"] as const) {
      let refusal: unknown;
      try {
        vm.irq.chipState(chip);
      } catch (error) {
        refusal = error;
      }
      assertEquals(
        `KVM_GET_IRQCHIP of ${chip}`,
        refusal instanceof KvmError && refusal.code,
        "ENXIO",
      );
    }
    attempt(() => vm.irq.signalMsi({ address: 0xfee00000, data: 0x51 }));
    attempt(() => vm.irq.setRouting([{ gsi: 4, chip: "pic-master", pin: 4 }]));
  },
  trace: `
    > irq-line 0x4 0x1 -> ENXIO
    > irq-line-status 0x4 0x1 -> ENXIO
    > msi address=0xfee00000 data=0x51 -> EINVAL
    > routing entries=0x1 -> EINVAL
    pio out 0x10 u8 0x0
    hlt
  `,
});
