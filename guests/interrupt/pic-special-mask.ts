import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

// What is written to OCW3 in the handler of IRQ1, and whether IRQ4 is then taken before its EOI.
const rows = {
  set: { commands: [0x68], taken: true },
  reset: { commands: [0x68, 0x48], taken: false },
  "not-enabled": { commands: [0x28], taken: false },
  // A command that does not enable the special mask mode leaves it as it is.
  kept: { commands: [0x68, 0x0b], taken: true },
  "kept-normal": { commands: [0x48, 0x0b], taken: false },
};

/**
 * In special mask mode a line in service that is masked holds back nothing: lower ones are taken. In
 * normal mode they wait for its EOI, masked or not.
 */
export default defineCases("interrupt/pic-special-mask", rows, ({ commands, taken }) => ({
  spec: ["8259A: special mask mode", "8259A: OCW3, ESMM and SMM"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x21: "irq1", 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    sti
    out 0x10, al                    ; the host gives IRQ1 an edge
    outer:
    cli
    out 0xf4, al
    irq1:
    mov al, 0x02                    ; OCW1: IRQ1 is masked
    out 0x21, al
    ${commands.map((command) => `mov al, ${command}\n out 0x20, al`).join("\n")}
    mov al, 0
    out 0x11, al                    ; the host gives IRQ4 an edge
    sti
    out 0x12, al
    inner:
    cli
    mov al, 0x0b                    ; OCW3: read the ISR from now on
    out 0x20, al
    in al, 0x20
    mov bl, al
    mov al, 0x10                    ; IRQ4 is not taken later
    out 0x21, al
    mov al, 0x61                    ; OCW2: EOI of IRQ1
    out 0x20, al
    mov al, 0
    iret
    irq4:
    inc bh
    mov al, 0x64                    ; OCW2: EOI of IRQ4
    out 0x20, al
    mov al, 0
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(1, 1);
    vm.irq.setLine(1, 0);
    run();
    vm.irq.setLine(4, 1);
    vm.irq.setLine(4, 0);
  },
  trace: ({ outer, inner }) => `
    pio out 0x10 u8 0xff
    > irq-line 0x1 0x1
    > irq-line 0x1 0x0
    pio out 0x11 u8 0x0
    > irq-line 0x4 0x1
    > irq-line 0x4 0x0
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rax 0x0
    = rbx ${taken ? "0x102" : "0x2"}
    = rflags 0x2
    ${taken ? `= mem 0x7ff4 u16 [${inner} 0x0 *]` : ""}
    = mem 0x7ffa u16 [${outer} 0x0 0x202]
  `,
}));
