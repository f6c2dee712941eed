import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const handlers = { 0x20: "irq0", 0x23: "irq3", 0x24: "irq4", 0x25: "irq5", 0x27: "irq7" };

// OCW2 as the guest writes it before anything is taken (0x40: no operation) and after each
// interrupt, and the order in which the lines 0, 3, 5 and 7 are then taken.
const commands = {
  "set-priority-2": { first: 0xc2, eoi: 0x20, order: [3, 5, 7, 0] },
  "set-priority-4": { first: 0xc4, eoi: 0x20, order: [5, 7, 0, 3] },
  "set-priority-7": { first: 0xc7, eoi: 0x20, order: [0, 3, 5, 7] },
  "on-non-specific-eoi": { first: 0xc4, eoi: 0xa0, order: [5, 7, 0, 3] },
  "no-operation": { first: 0x40, eoi: 0x20, order: [0, 3, 5, 7] },
};

/** OCW2 sets which line ranks lowest; the others follow it in a circle. */
export default defineCases("interrupt/pic-rotate", commands, ({ first, eoi, order }) => ({
  spec: ["8259A: OCW2, specific rotation and set priority", "8259A: OCW2, rotate on EOI"],
  mode: "real",
  irqchip: "kernel",
  handlers,
  guest: asm`
    ${initializePics()}
    mov al, ${first}
    out 0x20, al
    out 0x12, al                    ; the host asserts four lines
    mov cx, 5
    again:
    sti
    out 0x10, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    mov al, ${eoi}
    out 0x20, al
    loop again
    out 0xf4, al
    irq0:
    out 0x60, al
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
    irq7:
    out 0x67, al
    iret
  `,
  drive({ run, vm }) {
    run();
    for (const irq of [0, 3, 5, 7]) vm.irq.setLine(irq, 1);
  },
  trace: ({ taken }) => `
    pio out 0x12 u8 0x${first.toString(16)}
    > irq-line 0x0 0x1
    > irq-line 0x3 0x1
    > irq-line 0x5 0x1
    > irq-line 0x7 0x1
    pio out 0x10 u8 *
    pio out 0x6${order[0]} u8 *
    pio out 0x10 u8 0x${eoi.toString(16)}
    pio out 0x6${order[1]} u8 *
    pio out 0x10 u8 0x${eoi.toString(16)}
    pio out 0x6${order[2]} u8 *
    pio out 0x10 u8 0x${eoi.toString(16)}
    pio out 0x6${order[3]} u8 *
    pio out 0x10 u8 0x${eoi.toString(16)}
    pio out 0xf4 u8 *
    = rax 0x${eoi.toString(16)}
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
}));
