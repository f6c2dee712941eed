import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

// What the guest writes to OCW2, and the order in which the lines 0, 3, 5 and 7 are then taken.
const commands = {
  "set-priority-2": { command: 0xc2, order: [3, 5, 7, 0] },
  "set-priority-4": { command: 0xc4, order: [5, 7, 0, 3] },
  "set-priority-7": { command: 0xc7, order: [0, 3, 5, 7] },
  "no-operation": { command: 0x40, order: [0, 3, 5, 7] },
};

/** OCW2 sets which line ranks lowest; the others follow it in a circle. */
export default defineCases("interrupt/pic-set-priority", commands, ({ command, order }) => ({
  spec: ["8259A: OCW2, set priority"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x20: "irq0", 0x23: "irq3", 0x25: "irq5", 0x27: "irq7" },
  guest: asm`
    ${initializePics()}
    mov al, ${command}
    out 0x20, al
    out 0x12, al                    ; the host asserts four lines
    mov cx, 5
    again:
    sti
    out 0x10, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    mov al, 0x20                    ; OCW2: EOI
    out 0x20, al
    loop again
    out 0xf4, al
    irq0:
    out 0x60, al
    iret
    irq3:
    out 0x63, al
    iret
    irq5:
    out 0x65, al
    iret
    irq7:
    out 0x67, al
    iret
  `,
  drive({ run, vm }) {
    run();
    for (const irq of [0, 3, 5, 7]) vm.irq.setLine(irq, 1);
  },
  trace: ({ taken }) => `
    pio out 0x12 u8 0x${command.toString(16)}
    > irq-line 0x0 0x1
    > irq-line 0x3 0x1
    > irq-line 0x5 0x1
    > irq-line 0x7 0x1
    pio out 0x10 u8 0x${command.toString(16)}
    pio out 0x6${order[0]} u8 0x${command.toString(16)}
    pio out 0x10 u8 0x20
    pio out 0x6${order[1]} u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x6${order[2]} u8 0x20
    pio out 0x10 u8 0x20
    pio out 0x6${order[3]} u8 0x20
    pio out 0x10 u8 0x20
    pio out 0xf4 u8 0x20
    = rax 0x20
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
}));
