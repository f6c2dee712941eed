import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** A level that goes before the guest takes it is forgotten; an edge was latched. */
export default defineCase({
  id: "interrupt/pic-level-deassert",
  spec: ["KVM API 4.25: KVM_IRQ_LINE", "8259A: interrupt request register"],
  mode: "real",
  irqchip: "kernel",
  handlers: {},
  guest: asm`
    ${initializePics()}
    mov al, 0x20                    ; IRQ5 is level-triggered
    mov dx, 0x4d0
    out dx, al
    out 0x10, al                    ; the host asserts IRQ5
    in al, 0x20
    mov bl, al
    out 0x10, al                    ; the host deasserts it
    in al, 0x20
    mov cl, al
    sti
    out 0x10, al
    cli
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(5, 1);
    run();
    vm.irq.setLine(5, 0);
  },
  trace: `
    pio out 0x10 u8 0x20
    > irq-line 0x5 0x1
    pio out 0x10 u8 0x20
    > irq-line 0x5 0x0
    pio out 0x10 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x20
    = rcx 0x0
    = rdx 0x4d0
  `,
});
