import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/** A pin of delivery mode NMI gives NMIs, whatever IF is and whatever its vector says. */
export default defineCase({
  id: "interrupt/ioapic-nmi",
  spec: ["82093AA 3.2.4: I/O redirection table registers, delivery mode NMI"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 2: "nmi" },
  guest: asm`
    ${enableApic}
    ${redirect(20, 0x451)}
    out 0x10, al                    ; the host asserts the line
    resumed:
    mov ecx, ebx
    out 0xf4, al
    nmi:
    inc ebx
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(20, 1);
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > irq-line 0x14 0x1
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x1
    = mem 0x7fd8 u64 [${resumed} 0x28 0x2 0x8000 0x30]
  `,
});
