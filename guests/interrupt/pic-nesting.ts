import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** While one is in service a higher line interrupts it; a lower one and the same wait for the EOI. */
export default defineCase({
  id: "interrupt/pic-nesting",
  spec: [
    "8259A: fully nested mode",
    "8259A: OCW2, non-specific EOI",
    "8259A: OCW3, read registers",
  ],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x23: "irq3", 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    sti
    out 0x10, al                    ; the host asserts IRQ4
    outer:
    cli
    mov al, ch
    out 0xf4, al
    irq4:
    mov bl, 0x44
    out 0x11, al                    ; the host asserts IRQ5 and gives IRQ4 a second edge
    sti
    out 0x12, al                    ; neither is taken; the host asserts IRQ3
    inner:
    cli
    in al, 0x20                     ; the IRR has IRQ4 and IRQ5
    mov dl, al
    mov al, 0x0b                    ; OCW3: read the ISR from now on
    out 0x20, al
    in al, 0x20                     ; it has IRQ3 and IRQ4
    mov dh, al
    mov al, 0x20                    ; OCW2: EOI of the highest in service, IRQ3
    out 0x20, al
    in al, 0x20
    mov cl, al                      ; IRQ4 is left
    mov al, 0xff                    ; nothing more is to be taken
    out 0x21, al
    mov al, 0x20
    out 0x20, al
    in al, 0x20
    mov ch, al                      ; nothing is left
    iret
    irq3:
    mov bh, 0x33
    out 0x13, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(4, 1);
    run();
    vm.irq.setLine(5, 1);
    vm.irq.setLine(4, 0);
    vm.irq.setLine(4, 1);
    run();
    vm.irq.setLine(3, 1);
  },
  trace: ({ outer, inner }) => `
    pio out 0x10 u8 0xff
    > irq-line 0x4 0x1
    pio out 0x11 u8 0xff
    > irq-line 0x5 0x1
    > irq-line 0x4 0x0
    > irq-line 0x4 0x1
    pio out 0x12 u8 0xff
    > irq-line 0x3 0x1
    pio out 0x13 u8 0xff
    pio out 0xf4 u8 0x0
    = rbx 0x3344
    = rcx 0x10
    = rdx 0x1830
    = mem 0x7ff4 u16 [${inner} 0x0 0x202 ${outer} 0x0 0x202]
  `,
});
