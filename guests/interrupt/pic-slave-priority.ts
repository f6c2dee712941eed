import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** The slave's lines rank among themselves, and all of them between the master's IRQ1 and IRQ3. */
export default defineCase({
  id: "interrupt/pic-slave-priority",
  spec: ["8259A: cascade mode", "8259A: fully nested mode"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x21: "irq1", 0x23: "irq3", 0x28: "irq8", 0x2c: "irq12", 0x2f: "irq15" },
  guest: asm`
    ${initializePics({ slaveMask: 0 })}
    out 0x12, al                    ; the host asserts five lines
    mov cx, 6
    again:
    sti
    out 0x10, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    mov al, 0x20                    ; OCW2: EOI to both
    out 0xa0, al
    out 0x20, al
    loop again
    out 0xf4, al
    irq1:
    out 0x61, al
    iret
    irq3:
    out 0x63, al
    iret
    irq8:
    out 0x68, al
    iret
    irq12:
    out 0x6c, al
    iret
    irq15:
    out 0x6f, al
    iret
  `,
  drive({ run, vm }) {
    run();
    for (const irq of [15, 3, 12, 8, 1]) vm.irq.setLine(irq, 1);
  },
  trace: ({ taken }) => `
    pio out 0x12 u8 0x0
    > irq-line 0xf 0x1
    > irq-line 0x3 0x1
    > irq-line 0xc 0x1
    > irq-line 0x8 0x1
    > irq-line 0x1 0x1
    pio out 0x10 u8 0x0
    pio out 0x61 u8 0x0
    pio out 0x10 u8 0x20
    pio out 0x68 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x6c u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x6f u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x63 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0xf4 u8 0x20
    = rax 0x20
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
