import { asm, defineCases } from "../../mod.ts";

// ICW2 of the master and of the slave, and the vectors of IRQ3 and IRQ11.
const vectors = {
  "0x08-0x70": { master: 0x08, slave: 0x70, irq3: 0x0b, irq11: 0x73 },
  "0xf8-0x50": { master: 0xf8, slave: 0x50, irq3: 0xfb, irq11: 0x53 },
  "low-bits-ignored": { master: 0x27, slave: 0x4d, irq3: 0x23, irq11: 0x4b },
};

/** ICW2 gives the upper five bits of a chip's vectors; the lower three are the line's number. */
export default defineCases("interrupt/pic-vector", vectors, ({ master, slave, irq3, irq11 }) => ({
  spec: "8259A: ICW2",
  mode: "real",
  irqchip: "kernel",
  handlers: { [irq3]: "irq3", [irq11]: "irq11" },
  guest: asm`
    mov al, 0x11                    ; ICW1 to ICW4 of the master
    out 0x20, al
    mov al, ${master}
    out 0x21, al
    mov al, 0x04
    out 0x21, al
    mov al, 0x01
    out 0x21, al
    mov al, 0x11                    ; and of the slave
    out 0xa0, al
    mov al, ${slave}
    out 0xa1, al
    mov al, 0x02
    out 0xa1, al
    mov al, 0x01
    out 0xa1, al
    mov al, 0
    out 0x21, al
    out 0xa1, al
    sti
    out 0x10, al                    ; the host asserts IRQ11
    out 0x12, al                    ; the host asserts IRQ3
    taken:
    out 0xf4, al
    irq3:
    out 0x63, al
    iret
    irq11:
    out 0x6b, al
    mov al, 0x20                    ; OCW2: EOI
    out 0xa0, al
    out 0x20, al
    mov al, 0
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(11, 1);
    run();
    run();
    vm.irq.setLine(3, 1);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > irq-line 0xb 0x1
    pio out 0x6b u8 0x0
    pio out 0x12 u8 0x0
    > irq-line 0x3 0x1
    pio out 0x63 u8 0x0
    pio out 0xf4 u8 0x0
    = rax 0x0
    = rflags 0x202
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
}));
