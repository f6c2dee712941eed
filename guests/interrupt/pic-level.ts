import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** A level-triggered line interrupts again after each EOI while it is asserted, and no longer. */
export default defineCase({
  id: "interrupt/pic-level",
  spec: [
    "KVM API 4.25: KVM_IRQ_LINE",
    "8259A: level triggered mode",
    "82371SB: ELCR1, edge/level control",
  ],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x25: "handler" },
  guest: asm`
    ${initializePics()}
    mov al, 0x20                    ; IRQ5 is level-triggered
    mov dx, 0x4d0
    out dx, al
    mov cx, 4
    again:
    sti
    out 0x10, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    mov al, 0x20                    ; OCW2: EOI
    out 0x20, al
    loop again
    out 0xf4, al
    handler:
    out 0x11, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(5, 1);
    run();
    run();
    run();
    run();
    // In the handler: the interrupt in service is the last one.
    vm.irq.setLine(5, 0);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x20
    > irq-line 0x5 0x1
    pio out 0x11 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x11 u8 0x20
    pio out 0x10 u8 0x20
    > irq-line 0x5 0x0
    pio out 0x10 u8 0x20
    pio out 0xf4 u8 0x20
    = rax 0x20
    = rdx 0x4d0
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
