import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** Of the lines that wait the lowest number comes first, in whatever order they were asserted. */
export default defineCase({
  id: "interrupt/pic-priority",
  spec: ["KVM API 4.25: KVM_IRQ_LINE", "8259A: fully nested mode"],
  mode: "real",
  irqchip: "kernel",
  handlers: {
    0x20: "irq0",
    0x21: "irq1",
    0x23: "irq3",
    0x24: "irq4",
    0x25: "irq5",
    0x26: "irq6",
    0x27: "irq7",
  },
  guest: asm`
    ${initializePics()}
    out 0x12, al                    ; the host asserts seven lines
    mov cx, 8
    again:
    sti
    out 0x10, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    mov al, 0x20                    ; OCW2: EOI, so that the next one is taken
    out 0x20, al
    loop again
    out 0xf4, al
    irq0:
    out 0x60, al
    iret
    irq1:
    out 0x61, al
    iret
    irq3:
    out 0x63, al
    iret
    irq4:
    out 0x64, al
    iret
    irq5:
    out 0x65, al
    iret
    irq6:
    out 0x66, al
    iret
    irq7:
    out 0x67, al
    iret
  `,
  drive({ run, vm }) {
    run();
    for (const irq of [5, 7, 3, 0, 6, 1, 4]) vm.irq.setLine(irq, 1);
  },
  trace: ({ taken }) => `
    pio out 0x12 u8 0xff
    > irq-line 0x5 0x1
    > irq-line 0x7 0x1
    > irq-line 0x3 0x1
    > irq-line 0x0 0x1
    > irq-line 0x6 0x1
    > irq-line 0x1 0x1
    > irq-line 0x4 0x1
    pio out 0x10 u8 0xff
    pio out 0x60 u8 0xff
    pio out 0x10 u8 0x20
    pio out 0x61 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x63 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x64 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x65 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x66 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x67 u8 0x20
    pio out 0x10 u8 0x20
    pio out 0xf4 u8 0x20
    = rax 0x20
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
