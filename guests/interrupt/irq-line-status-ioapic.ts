import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * KVM_IRQ_LINE_STATUS on IOAPIC pins: a masked pin ignores its line, and a level-triggered one that
 * waits for its EOI is delivered to nobody.
 */
export default defineCase({
  id: "interrupt/irq-line-status-ioapic",
  spec: "KVM API 4.25: KVM_IRQ_LINE; KVM_CAP_IRQ_INJECT_STATUS",
  requires: ["KVM_CAP_IRQ_INJECT_STATUS"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    ${enableApic}
    ${redirect(16, 0x10051)}
    ${redirect(17, 0x8052)}
    ${redirect(18, 0x53, 1)}
    ${redirect(19, 0x54)}
    out 0x10, al
    mov ebx, [rsi + 0x220]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLineStatus(16, 1);
    vm.irq.setLineStatus(17, 1);
    vm.irq.setLineStatus(17, 1);
    vm.irq.setLineStatus(18, 1);
    vm.irq.setLineStatus(19, 1);
    vm.irq.setLineStatus(24, 1);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irq-line-status 0x10 0x1 -> ignored
    > irq-line-status 0x11 0x1 -> 0x1
    > irq-line-status 0x11 0x1 -> ignored
    > irq-line-status 0x12 0x1 -> 0x0|ignored
    > irq-line-status 0x13 0x1 -> 0x1
    > irq-line-status 0x18 0x1 -> ignored
    pio out 0xf4 u8 0x0
    = rbx 0x140000
  `,
});
