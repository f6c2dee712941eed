import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

// ICW4; what is written to OCW2 at the start, after IRQ4, and after each later interrupt (0x40: no
// operation); and the order in which the lines 3, 4 and 5 are then taken.
const commands = {
  "on-non-specific-eoi": { icw4: 0x01, start: 0x40, first: 0xa0, later: 0x20, order: [5, 3, 4] },
  "on-specific-eoi": { icw4: 0x01, start: 0x40, first: 0xe4, later: 0x20, order: [5, 3, 4] },
  "on-plain-eoi": { icw4: 0x01, start: 0x80, first: 0x20, later: 0x20, order: [3, 4, 5] },
  "on-automatic-eoi": { icw4: 0x03, start: 0x80, first: 0x40, later: 0x40, order: [5, 3, 4] },
  "cleared": { icw4: 0x03, start: 0x00, first: 0x40, later: 0x40, order: [3, 4, 5] },
};

/** A line that was served ranks lowest from then on if its EOI rotates, and else where it was. */
export default defineCases("interrupt/pic-rotate", commands, (row) => ({
  spec: [
    "8259A: automatic rotation, equal priority devices",
    "8259A: OCW2, rotate on specific and non-specific EOI, rotate in automatic EOI mode",
  ],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x23: "irq3", 0x24: "irq4", 0x25: "irq5" },
  guest: asm`
    ${initializePics({ icw4: row.icw4 })}
    mov al, 0x80                    ; OCW2: rotate in automatic EOI mode
    out 0x20, al
    mov al, ${row.start}
    out 0x20, al
    sti
    out 0x10, al                    ; the host asserts IRQ4
    mov al, ${row.first}
    out 0x20, al
    out 0x12, al                    ; the host gives three lines an edge
    mov al, ${row.later}
    mov cx, 4
    again:
    sti
    out 0x10, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    out 0x20, al
    loop again
    out 0xf4, al
    irq3:
    out 0x63, al
    retf 2                          ; FLAGS are dropped: IF stays clear
    irq4:
    out 0x64, al
    retf 2
    irq5:
    out 0x65, al
    retf 2
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(4, 1);
    run();
    run();
    vm.irq.setLine(4, 0);
    for (const irq of [3, 4, 5]) vm.irq.setLine(irq, 1);
  },
  trace: ({ taken }) => {
    const [start, first, later] = [row.start, row.first, row.later]
      .map((command) => `0x${command.toString(16)}`);
    const { order } = row;
    return `
      pio out 0x10 u8 ${start}
      > irq-line 0x4 0x1
      pio out 0x64 u8 ${start}
      pio out 0x12 u8 ${first}
      > irq-line 0x4 0x0
      > irq-line 0x3 0x1
      > irq-line 0x4 0x1
      > irq-line 0x5 0x1
      pio out 0x10 u8 ${later}
      pio out 0x6${order[0]} u8 ${later}
      pio out 0x10 u8 ${later}
      pio out 0x6${order[1]} u8 ${later}
      pio out 0x10 u8 ${later}
      pio out 0x6${order[2]} u8 ${later}
      pio out 0x10 u8 ${later}
      pio out 0xf4 u8 ${later}
      = rax ${later}
      = mem 0x7ffa u16 [${taken} 0x0 0x202]
    `;
  },
}));
