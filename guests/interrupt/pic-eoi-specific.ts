import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** A specific EOI ends the interrupt it names, not the highest in service. */
export default defineCase({
  id: "interrupt/pic-eoi-specific",
  spec: ["8259A: OCW2, specific EOI", "8259A: OCW3, read ISR"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x21: "irq1", 0x26: "irq6" },
  guest: asm`
    ${initializePics()}
    sti
    out 0x10, al                    ; the host asserts IRQ6
    outer:
    cli
    out 0xf4, al
    irq6:
    sti
    out 0x11, al                    ; the host asserts IRQ1
    inner:
    cli
    iret
    irq1:
    mov al, 0x0b                    ; OCW3: read the ISR
    out 0x20, al
    in al, 0x20                     ; IRQ1 and IRQ6 are in service
    mov bl, al
    mov al, 0x63                    ; OCW2: EOI of IRQ3, which is not in service
    out 0x20, al
    in al, 0x20
    mov bh, al
    mov al, 0x66                    ; OCW2: EOI of IRQ6
    out 0x20, al
    in al, 0x20                     ; IRQ1 is left
    mov cl, al
    mov al, 0x61                    ; OCW2: EOI of IRQ1
    out 0x20, al
    in al, 0x20
    mov ch, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(6, 1);
    run();
    vm.irq.setLine(1, 1);
  },
  trace: ({ outer, inner }) => `
    pio out 0x10 u8 0xff
    > irq-line 0x6 0x1
    pio out 0x11 u8 0xff
    > irq-line 0x1 0x1
    pio out 0xf4 u8 0x0
    = rbx 0x4242
    = rcx 0x2
    = mem 0x7ff4 u16 [${inner} 0x0 0x202 ${outer} 0x0 0x202]
  `,
});
