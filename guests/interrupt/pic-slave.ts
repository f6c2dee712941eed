import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const lines = {
  irq8: { irq: 8, bit: 0x01 },
  irq10: { irq: 10, bit: 0x04 },
  irq15: { irq: 15, bit: 0x80 },
};

/**
 * A line of the slave gives the slave's vector and is in service on both chips, and both want an
 * EOI before the next interrupt of the slave comes through.
 */
export default defineCases("interrupt/pic-slave", lines, ({ irq, bit }) => ({
  spec: ["KVM API 4.25: KVM_IRQ_LINE", "8259A: cascade mode", "8259A: OCW3, read registers"],
  mode: "real",
  irqchip: "kernel",
  handlers: { [0x20 + irq]: "handler" },
  guest: asm`
    ${initializePics({ slaveMask: 0 })}
    mov al, 0x0b                    ; OCW3: read the ISR
    out 0x20, al
    out 0xa0, al
    sti
    out 0x10, al                    ; the host asserts the line
    first:
    cli
    in al, 0x20
    mov bl, al
    in al, 0xa0
    mov bh, al
    out 0x12, al                    ; the host gives the line a second edge
    mov al, 0x20                    ; OCW2: EOI to the slave alone
    out 0xa0, al
    in al, 0xa0
    mov ch, al
    sti
    out 0x13, al                    ; the master holds it back
    cli
    mov al, 0x20                    ; EOI to the master
    out 0x20, al
    in al, 0x20
    mov cl, al
    sti
    out 0x14, al                    ; the second is taken behind it
    second:
    cli
    in al, 0x20                     ; and is in service on both
    mov dl, al
    in al, 0xa0
    mov dh, al
    out 0xf4, al
    handler:
    out 0x11, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(irq, 1);
    run();
    run();
    vm.irq.setLine(irq, 0);
    vm.irq.setLine(irq, 1);
  },
  trace: ({ second }) => {
    const line = `0x${irq.toString(16)}`;
    const service = `0x${bit.toString(16)}`;
    const both = `0x${(bit << 8 | 0x04).toString(16)}`;
    return `
      pio out 0x10 u8 0xb
      > irq-line ${line} 0x1
      pio out 0x11 u8 0xb
      pio out 0x12 u8 ${service}
      > irq-line ${line} 0x0
      > irq-line ${line} 0x1
      pio out 0x13 u8 0x0
      pio out 0x14 u8 0x0
      pio out 0x11 u8 0x0
      pio out 0xf4 u8 ${service}
      = rax ${service}
      = rbx ${both}
      = rcx 0x0
      = rdx ${both}
      = mem 0x7ffa u16 [${second} 0x0 0x202]
    `;
  },
}));
