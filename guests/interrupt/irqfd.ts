import { asm, defineCase, EventFd } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/**
 * Signalling an assigned eventfd gives its GSI an edge, whatever it adds to the count, and the count
 * is taken; after the release it is an eventfd like any other.
 */
export default defineCase({
  id: "interrupt/irqfd",
  spec: "KVM API 4.75: KVM_IRQFD",
  requires: ["KVM_CAP_IRQFD"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    out 0x10, al                    ; the host signals
    mov al, 0x20
    sti
    hlt
    cli
    out 0x20, al                    ; OCW2: EOI
    out 0x11, al                    ; the host signals
    sti
    hlt
    halted:
    cli
    out 0x20, al
    out 0x12, al                    ; the host releases it and signals
    in al, 0x20                     ; the IRR
    out 0xf4, al
    irq4:
    inc bx
    out 0x13, al
    iret
  `,
  drive({ run, vm, note }) {
    using event = new EventFd();
    vm.irq.assignEventFd(event, 4);
    run();
    event.signal(3n);
    run();
    note("eventfd", [], event.take());
    run();
    event.signal();
    run();
    run();
    vm.irq.releaseEventFd(event, 4);
    event.signal(2n);
    run();
    note("eventfd", [], event.take());
  },
  trace: ({ halted }) => `
    > irqfd 0x4
    pio out 0x10 u8 0xff
    pio out 0x13 u8 0x20
    > eventfd -> 0x0
    pio out 0x11 u8 0x20
    pio out 0x13 u8 0x20
    pio out 0x12 u8 0x20
    > irqfd-release 0x4
    pio out 0xf4 u8 0x0
    > eventfd -> 0x2
    = rbx 0x2
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
});
