import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/** KVM_SET_GSI_ROUTING replaces all routes: to other pins, to MSIs, and to nothing. */
export default defineCase({
  id: "interrupt/routing-change",
  spec: "KVM API 4.52: KVM_SET_GSI_ROUTING",
  requires: ["KVM_CAP_IRQ_ROUTING"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    mov al, 0xff                    ; both PICs masked
    out 0x21, al
    out 0xa1, al
    ${enableApic}
    ${redirect(4, 0x44)}
    ${redirect(20, 0x54)}
    out 0x10, al                    ; the host asserts GSIs 4, 5, 6 and 20
    mov ebx, [rsi + 0x220]          ; IRR: 0x54, by GSI 4, and 0x59, by the MSI of GSI 5
    in al, 0x20                     ; the master's: IRQ3, by GSI 6
    mov cl, al
    in al, 0xa0                     ; the slave's: IRQ14, by GSI 6 as well
    mov ch, al
    mov al, 0
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setRouting([
      { gsi: 4, chip: "ioapic", pin: 20 },
      { gsi: 5, msi: { address: 0xfee00000, data: 0x59 } },
      { gsi: 7, msi: { address: 0xfee00000, data: 0x5a } },
      { gsi: 6, chip: "pic-master", pin: 3 },
      { gsi: 6, chip: "pic-slave", pin: 6 },
    ]);
    vm.irq.setLine(20, 1);
    vm.irq.setLine(4, 1);
    // A message goes with the rising edge alone.
    vm.irq.setLine(7, 0);
    vm.irq.setLine(5, 1);
    vm.irq.setLine(6, 1);
  },
  trace: `
    pio out 0x10 u8 0xff
    > routing entries=0x5
    > irq-line 0x14 0x1
    > irq-line 0x4 0x1
    > irq-line 0x7 0x0
    > irq-line 0x5 0x1
    > irq-line 0x6 0x1
    pio out 0xf4 u8 0x0
    = rax 0x0
    = rbx 0x2100000
    = rcx 0x4008
  `,
});
