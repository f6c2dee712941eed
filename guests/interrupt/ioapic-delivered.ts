import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/** KVM_GET_IRQCHIP tells of an edge until it is delivered, and of the next one that waits again. */
export default defineCase({
  id: "interrupt/ioapic-delivered",
  spec: [
    "KVM API 4.26: KVM_GET_IRQCHIP, struct kvm_ioapic_state (irr)",
    "KVM API 4.25: KVM_IRQ_LINE",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    ${enableApic}
    ${redirect(18, 0x51)}
    out 0x10, al
    mov dword [rdi + 0x10], 0x10051 ; masked
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    const waiting = () => vm.irq.ioapic().irr >> 18 & 1;
    run();
    vm.irq.setLine(18, 1);
    assertEquals("delivered", waiting(), 0);
    vm.irq.setLine(18, 0);
    run();
    vm.irq.setLine(18, 1);
    assertEquals("waiting", waiting(), 1);
    vm.irq.setLine(18, 0);
    assertEquals("gone", waiting(), 0);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irq-line 0x12 0x1
    > irq-line 0x12 0x0
    pio out 0xf4 u8 0x0
    > irq-line 0x12 0x1
    > irq-line 0x12 0x0
  `,
});
