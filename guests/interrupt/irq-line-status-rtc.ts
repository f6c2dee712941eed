import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * On the RTC's line KVM_IRQ_LINE_STATUS counts an edge as coalesced until the EOI of the last one,
 * so that the host can give lost ticks again.
 */
export default defineCase({
  id: "interrupt/irq-line-status-rtc",
  spec: "KVM API 4.25: KVM_IRQ_LINE; KVM_CAP_IRQ_INJECT_STATUS",
  requires: ["KVM_CAP_IRQ_INJECT_STATUS"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    mov al, 0xff                    ; the PIC, which has this line too, is masked
    out 0x21, al
    out 0xa1, al
    ${enableApic}
    ${redirect(8, 0x51)}
    sti
    out 0x10, al                    ; the host gives an edge, taken behind it
    taken:
    cli
    out 0x11, al                    ; the host gives another, before the EOI
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0x12, al                    ; and another, after it
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    out 0xf4, al
    handler:
    iretq
  `,
  drive({ run, vm }) {
    for (let edge = 0; edge < 3; edge++) {
      run();
      vm.irq.setLineStatus(8, 1);
      vm.irq.setLineStatus(8, 0);
    }
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xff
    > irq-line-status 0x8 0x1 -> 0x1
    > irq-line-status 0x8 0x0 -> *
    pio out 0x11 u8 0xff
    > irq-line-status 0x8 0x1 -> 0x0
    > irq-line-status 0x8 0x0 -> *
    pio out 0x12 u8 0xff
    > irq-line-status 0x8 0x1 -> 0x1
    > irq-line-status 0x8 0x0 -> *
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x20000
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
