import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/** KVM_GET_IRQCHIP tells the IOAPIC's registers, its entries, and the lines that are asserted. */
export default defineCase({
  id: "interrupt/ioapic-state",
  spec: "KVM API 4.26: KVM_GET_IRQCHIP, struct kvm_ioapic_state",
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    ${enableApic}
    mov dword [rdi], 0
    mov dword [rdi + 0x10], 0x9000000; id
    ${redirect(17, 0x8051, 0x5a)}
    ${redirect(18, 0x18052, 0xff)}
    ${redirect(21, 0x53)}
    mov dword [rdi], 0x23
    out 0x10, al                    ; the host asserts pins 18, 20 and 21
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    run();
    vm.irq.setLine(18, 1);
    vm.irq.setLine(20, 1);
    vm.irq.setLine(21, 1);
    const bytes = vm.irq.chipState("ioapic");
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    assertEquals("base address", view.getBigUint64(0, true), 0xfec00000n);
    assertEquals("ioregsel", view.getUint32(8, true), 0x23);
    assertEquals("id", view.getUint32(12, true), 9);
    assertEquals("irr without the edge that was delivered", view.getUint32(16, true), 0x140000);
    const entry = (pin: number) => view.getBigUint64(24 + 8 * pin, true);
    assertEquals("pin 0", entry(0), 0x10000n);
    assertEquals("pin 17", entry(17), 0x5a00000000008051n);
    assertEquals("pin 18", entry(18), 0xff00000000018052n);
    assertEquals("pin 23", entry(23), 0x10000n);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irq-line 0x12 0x1
    > irq-line 0x14 0x1
    > irq-line 0x15 0x1
    pio out 0xf4 u8 0x0
  `,
});
