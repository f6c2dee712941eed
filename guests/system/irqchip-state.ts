import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Read-back of what the guest's ports show: OCW3 selects ISR or IRR, OCW1 the mask.
  "master-irr": {
    chip: "pic-master",
    change: { irr: 0x10, last_irr: 0x10, imr: 0xff, read_reg_select: 0 },
    port: 0x20,
    value: 0x10,
  },
  "master-isr": {
    chip: "pic-master",
    change: { isr: 0x42, read_reg_select: 1 },
    port: 0x20,
    value: 0x42,
  },
  "master-mask": { chip: "pic-master", change: { imr: 0xa5 }, port: 0x21, value: 0xa5 },
  "slave-isr": {
    chip: "pic-slave",
    change: { isr: 0x81, read_reg_select: 1 },
    port: 0xa0,
    value: 0x81,
  },
  "slave-mask": { chip: "pic-slave", change: { imr: 0x5a }, port: 0xa1, value: 0x5a },
  "slave-elcr": {
    chip: "pic-slave",
    change: { elcr: 0x0c },
    port: 0x4d1,
    value: 0x0c,
  },
} as const;

/** The guest reads of a PIC what KVM_SET_IRQCHIP put there, and the other PIC stays as it was. */
export default defineCases("system/irqchip-state", rows, ({ chip, change, port, value }) => ({
  spec: [
    "KVM API 4.27: KVM_SET_IRQCHIP, struct kvm_pic_state",
    "8259A: OCW1, OCW3; edge/level control registers at 0x4d0 and 0x4d1",
  ],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    mov dx, ${port}
    in al, dx
    out 0xf4, al
  `,
  drive({ vm, assertEquals }) {
    const other = chip === "pic-master" ? "pic-slave" : "pic-master";
    const before = vm.irq.pic(other);
    const state = { ...vm.irq.pic(chip), ...change };
    vm.irq.setPic(chip, state);
    assertEquals("what was set", vm.irq.pic(chip), state);
    assertEquals("the other PIC", vm.irq.pic(other), before);
  },
  trace: `
    > set-irqchip ${chip}
    pio out 0xf4 u8 0x${value.toString(16)}
    = rax 0x${value.toString(16)}
    = rdx 0x${port.toString(16)}
  `,
}));
