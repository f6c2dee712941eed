import { asm, defineCase, EventFd } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** An eventfd whose GSI is routed to an MSI sends that, and follows a change of the routes. */
export default defineCase({
  id: "interrupt/irqfd-msi",
  spec: ["KVM API 4.75: KVM_IRQFD", "KVM API 4.52: KVM_SET_GSI_ROUTING"],
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQ_ROUTING"],
  mode: "long",
  irqchip: "split",
  registers: apicRegisters,
  guest: asm`
    ${enableApic}
    out 0x10, al                    ; the host signals
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    out 0x11, al                    ; the host changes the route and signals
    mov ecx, [rsi + 0x220]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    using event = new EventFd();
    vm.irq.setRouting([{ gsi: 30, msi: { address: 0xfee00000, data: 0x51 } }]);
    vm.irq.assignEventFd(event, 30);
    run();
    event.signal();
    run();
    vm.irq.setRouting([{ gsi: 30, msi: { address: 0xfee00000, data: 0x52 } }]);
    event.signal();
    run();
  },
  trace: `
    > routing entries=0x1
    > irqfd 0x1e
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x0
    > routing entries=0x1
    pio out 0xf4 u8 0x0
    = rbx 0x20000
    = rcx 0x60000
  `,
});
