import { asm, defineCase, EventFd } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** An eventfd that was signalled before it is assigned interrupts at once. */
export default defineCase({
  id: "interrupt/irqfd-signalled-before",
  spec: "KVM API 4.75: KVM_IRQFD",
  requires: ["KVM_CAP_IRQFD"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    out 0x10, al                    ; the host assigns the eventfd
    sti
    hlt
    halted:
    out 0xf4, al
    irq4:
    inc bx
    iret
  `,
  drive({ run, vm }) {
    run();
    using event = new EventFd();
    event.signal();
    vm.irq.assignEventFd(event, 4);
    run();
  },
  trace: ({ halted }) => `
    pio out 0x10 u8 0xff
    > irqfd 0x4
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x1
    = rflags 0x202
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
});
