import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** A masked line is not delivered but waits in the IRR, and is delivered once it is unmasked. */
export default defineCase({
  id: "interrupt/pic-mask",
  spec: ["8259A: OCW1, interrupt mask register", "8259A: interrupt request register"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x26: "irq6" },
  guest: asm`
    ${initializePics({ masterMask: 0x40 })}
    sti
    out 0x10, al                    ; the host asserts IRQ6
    nop
    out 0x12, al                    ; not taken
    cli
    in al, 0x21                     ; the mask, as it was written
    mov bl, al
    in al, 0x20                     ; the IRR
    mov bh, al
    mov al, 0x00
    out 0x21, al                    ; unmasked
    sti
    out 0x13, al                    ; taken behind it
    taken:
    cli
    in al, 0x20                     ; the IRR is empty
    mov ch, al
    in al, 0x21
    mov cl, al
    mov al, 0x20
    out 0x20, al
    out 0xf4, al
    irq6:
    inc dx
    out 0x11, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(6, 1);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xff
    > irq-line 0x6 0x1
    pio out 0x12 u8 0xff
    pio out 0x13 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x20
    = rax 0x20
    = rbx 0x4040
    = rcx 0x0
    = rdx 0x1
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
