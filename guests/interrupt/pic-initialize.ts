import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** ICW1 forgets edges, unmasks all lines, and lets the command port read the IRR again. */
export default defineCase({
  id: "interrupt/pic-initialize",
  spec: ["8259A: initialization command words, ICW1"],
  mode: "real",
  registers: { rbx: 0x99n },
  irqchip: "kernel",
  handlers: { 0x55: "irq5" },
  guest: asm`
    ${initializePics({ masterMask: 0xc0 })}
    mov al, 0x0b                    ; OCW3: read the ISR
    out 0x20, al
    out 0x10, al                    ; the host asserts IRQ6
    mov al, 0x11                    ; ICW1
    out 0x20, al
    mov al, 0x50                    ; ICW2: another first vector
    out 0x21, al
    mov al, 0x04                    ; ICW3
    out 0x21, al
    mov al, 0x01                    ; ICW4
    out 0x21, al
    in al, 0x21                     ; the mask
    mov bl, al
    mov al, 0
    out 0x21, al
    sti
    out 0x12, al                    ; IRQ6 is not taken
    cli
    out 0x13, al                    ; the host asserts IRQ5
    in al, 0x20                     ; the IRR has that alone
    sti
    out 0x14, al                    ; taken behind it
    taken:
    cli
    out 0xf4, al
    irq5:
    out 0x11, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(6, 1);
    run();
    run();
    vm.irq.setLine(5, 1);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xb
    > irq-line 0x6 0x1
    pio out 0x12 u8 0x0
    pio out 0x13 u8 0x0
    > irq-line 0x5 0x1
    pio out 0x14 u8 0x20
    pio out 0x11 u8 0x20
    pio out 0xf4 u8 0x20
    = rax 0x20
    = rbx 0x0
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
