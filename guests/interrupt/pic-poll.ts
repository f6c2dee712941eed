import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const lines = { irq0: 0, irq3: 3, irq7: 7 };

/**
 * A poll reads the highest line that waits, with bit 7 set, and acknowledges it: after an EOI it is
 * neither taken as an interrupt nor polled again, and bit 7 reads clear.
 */
export default defineCases("interrupt/pic-poll", lines, (irq) => ({
  spec: ["8259A: poll command", "8259A: OCW3"],
  mode: "real",
  irqchip: "kernel",
  handlers: {},
  guest: asm`
    ${initializePics()}
    out 0x10, al                    ; the host asserts the line
    mov al, 0x0c                    ; OCW3: poll, for one read
    out 0x20, al
    in al, 0x20
    mov bl, al
    mov al, 0x20                    ; OCW2: EOI
    out 0x20, al
    in al, 0x20                     ; the IRR again: nothing waits
    mov bh, al
    mov al, 0x0c
    out 0x20, al
    in al, 0x20
    and al, 0x80
    mov cl, al
    mov al, 0
    sti
    out 0x12, al
    cli
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(irq, 1);
  },
  trace: `
    pio out 0x10 u8 0xff
    > irq-line 0x${irq} 0x1
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rax 0x0
    = rbx 0x${(0x80 | irq).toString(16)}
    = rflags 0x46|0x56
  `,
}));
