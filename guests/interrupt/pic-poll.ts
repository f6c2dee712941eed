import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const lines = {
  irq0: { irq: 0, port: 0x20, level: 0 },
  irq3: { irq: 3, port: 0x20, level: 3 },
  irq7: { irq: 7, port: 0x20, level: 7 },
  irq9: { irq: 9, port: 0xa0, level: 1 },
  irq14: { irq: 14, port: 0xa0, level: 6 },
};

/**
 * A poll reads the highest line that waits, with bit 7 set, and acknowledges it: after an EOI it is
 * neither taken as an interrupt nor polled again, and bit 7 reads clear.
 */
export default defineCases("interrupt/pic-poll", lines, ({ irq, port, level }) => ({
  spec: ["8259A: poll command", "8259A: OCW3"],
  mode: "real",
  irqchip: "kernel",
  handlers: {},
  guest: asm`
    ${initializePics({ slaveMask: 0 })}
    out 0x10, al                    ; the host asserts the line
    mov al, 0x0c                    ; OCW3: poll, for one read
    out ${port}, al
    in al, ${port}
    mov bl, al
    mov al, 0x20                    ; OCW2: EOI to both
    out 0xa0, al
    out 0x20, al
    in al, ${port}                  ; the IRR again: nothing waits
    mov bh, al
    mov al, 0x0c
    out ${port}, al
    in al, ${port}
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
    pio out 0x10 u8 0x0
    > irq-line 0x${irq.toString(16)} 0x1
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x${(0x80 | level).toString(16)}
    = rflags 0x46|0x56
  `,
}));
