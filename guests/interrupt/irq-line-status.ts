import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/**
 * KVM_IRQ_LINE_STATUS tells whether an edge became an interrupt, fell together with one that is not
 * yet acknowledged, or was ignored because its line is masked.
 */
export default defineCase({
  id: "interrupt/irq-line-status",
  spec: "KVM API 4.25: KVM_IRQ_LINE; KVM_CAP_IRQ_INJECT_STATUS",
  requires: ["KVM_CAP_IRQ_INJECT_STATUS"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics({ masterMask: 0x20 })}
    out 0x10, al                    ; the host gives IRQ4 two edges and IRQ5 one
    mov al, 0x20
    sti
    out 0x12, al                    ; IRQ4 is taken behind it, once
    out 0x20, al
    out 0x13, al                    ; the host gives IRQ4 another edge
    taken:
    out 0xf4, al
    irq4:
    out 0x64, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLineStatus(4, 1);
    vm.irq.setLineStatus(4, 0);
    vm.irq.setLineStatus(4, 1);
    vm.irq.setLineStatus(5, 1);
    run();
    run();
    run();
    vm.irq.setLineStatus(4, 0);
    vm.irq.setLineStatus(4, 1);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xff
    > irq-line-status 0x4 0x1 -> 0x1
    > irq-line-status 0x4 0x0 -> *
    > irq-line-status 0x4 0x1 -> 0x0
    > irq-line-status 0x5 0x1 -> ignored
    pio out 0x12 u8 0x20
    pio out 0x64 u8 0x20
    pio out 0x13 u8 0x20
    > irq-line-status 0x4 0x0 -> *
    > irq-line-status 0x4 0x1 -> 0x1
    pio out 0x64 u8 0x20
    pio out 0xf4 u8 0x20
    = rax 0x20
    = rflags 0x202
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
