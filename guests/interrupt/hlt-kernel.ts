import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/**
 * With the interrupt controller in the kernel HLT does not leave the guest: an interrupt that waits
 * is taken behind it and the guest goes on, without another HLT.
 */
export default defineCase({
  id: "interrupt/hlt-kernel",
  spec: ["KVM API 5: KVM_EXIT_HLT", "SDM 2A: HLT", "SDM 2B: STI"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    out 0x10, al                    ; the host asserts IRQ4
    sti
    hlt
    halted:
    mov cx, bx
    out 0xf4, al
    irq4:
    inc bx
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(4, 1);
  },
  trace: ({ halted }) => `
    pio out 0x10 u8 0xff
    > irq-line 0x4 0x1
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x1
    = rcx 0x1
    = rflags 0x202
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
});
