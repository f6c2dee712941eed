import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const lines = { irq0: 0, irq4: 4, irq7: 7 };

/**
 * A rising edge on a line gives one interrupt; a line that stays high gives no other one after the
 * EOI, nor does asserting it again; a second edge does.
 */
export default defineCases("interrupt/pic-edge", lines, (irq) => ({
  spec: [
    "KVM API 4.24: KVM_CREATE_IRQCHIP",
    "KVM API 4.25: KVM_IRQ_LINE",
    "8259A: edge triggered mode",
  ],
  mode: "real",
  irqchip: "kernel",
  handlers: { [0x20 + irq]: "handler" },
  guest: asm`
    ${initializePics()}
    mov al, 1
    sti
    out 0x10, al                    ; the host asserts the line
    mov al, 2
    out 0x10, al                    ; the host asserts it again
    mov al, 3
    out 0x10, al                    ; the host deasserts it
    mov al, 4
    out 0x10, al                    ; the host asserts it
    taken:
    mov al, 5
    out 0xf4, al
    handler:
    mov al, 0xcc
    out 0x11, al
    mov al, 0x20                    ; OCW2: EOI
    out 0x20, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(irq, 1);
    run();
    run();
    vm.irq.setLine(irq, 1);
    run();
    vm.irq.setLine(irq, 0);
    run();
    vm.irq.setLine(irq, 1);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x1
    > irq-line 0x${irq} 0x1
    pio out 0x11 u8 0xcc
    pio out 0x10 u8 0x2
    > irq-line 0x${irq} 0x1
    pio out 0x10 u8 0x3
    > irq-line 0x${irq} 0x0
    pio out 0x10 u8 0x4
    > irq-line 0x${irq} 0x1
    pio out 0x11 u8 0xcc
    pio out 0xf4 u8 0x5
    = rax 0x5
    = rflags 0x202
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
}));
