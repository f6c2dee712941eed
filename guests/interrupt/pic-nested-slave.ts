import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const modes = {
  "special-fully-nested": { icw4: 0x11, nested: "pio out 0x68 u8 0x0" },
  "fully-nested": { icw4: 0x01, nested: "" },
};

/**
 * While a line of the slave is in service a higher one of the slave interrupts it in the master's
 * special fully nested mode alone; otherwise it waits for the master's EOI.
 */
export default defineCases("interrupt/pic-nested-slave", modes, ({ icw4, nested }) => ({
  spec: ["8259A: special fully nested mode", "8259A: ICW4"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x28: "irq8", 0x2e: "irq14" },
  guest: asm`
    ${initializePics({ slaveMask: 0, icw4 })}
    sti
    out 0x10, al                    ; the host asserts IRQ14
    outer:
    cli
    mov al, 0xff
    out 0xf4, al
    irq14:
    out 0x6e, al                    ; the host asserts IRQ8
    sti
    out 0x11, al
    inner:
    cli
    mov al, 0xff                    ; what was not taken until now is not to be taken
    out 0x21, al
    iret
    irq8:
    out 0x68, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(14, 1);
    run();
    vm.irq.setLine(8, 1);
  },
  trace: ({ outer, inner }) => `
    pio out 0x10 u8 0x0
    > irq-line 0xe 0x1
    pio out 0x6e u8 0x0
    > irq-line 0x8 0x1
    pio out 0x11 u8 0x0
    ${nested}
    pio out 0xf4 u8 0xff
    = rax 0xff
    = mem 0x7ff4 u16 [${nested === "" ? "0x0 0x0 0x0" : `${inner} 0x0 0x202`} ${outer} 0x0 0x202]
  `,
}));
