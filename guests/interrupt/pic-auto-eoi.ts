import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** With automatic EOI nothing is in service, so that even the same line interrupts its handler. */
export default defineCase({
  id: "interrupt/pic-auto-eoi",
  spec: ["8259A: automatic end of interrupt mode", "8259A: ICW4"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics({ icw4: 0x03 })}
    mov al, 0x0b                    ; OCW3: read the ISR
    out 0x20, al
    sti
    out 0x10, al                    ; the host asserts IRQ4
    outer:
    cli
    out 0xf4, al
    irq4:
    in al, 0x20
    sti
    out 0x11, al                    ; the host gives IRQ4 another edge
    inner:
    cli
    inc bx
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(4, 1);
    run();
    vm.irq.setLine(4, 0);
    vm.irq.setLine(4, 1);
  },
  trace: ({ outer, inner }) => `
    pio out 0x10 u8 0xb
    > irq-line 0x4 0x1
    pio out 0x11 u8 0x0
    > irq-line 0x4 0x0
    > irq-line 0x4 0x1
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x2
    = mem 0x7ff4 u16 [${inner} 0x0 0x202 ${outer} 0x0 0x202]
  `,
});
