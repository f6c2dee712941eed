import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * A level-triggered pin sets Remote IRR when its interrupt is accepted and gives no other one
 * before the EOI; with the EOI it interrupts again while it is asserted, and no longer.
 */
export default defineCase({
  id: "interrupt/ioapic-level",
  spec: [
    "KVM API 4.25: KVM_IRQ_LINE",
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR",
    "SDM 3A 10.8.5: signaling interrupt servicing completion",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    ${enableApic}
    ${redirect(18, 0x8051)}         ; IOREGSEL stays at the entry's lower half
    sti
    out 0x10, al                    ; the host asserts the line
    cli
    mov ebx, [rdi + 0x10]           ; Remote IRR is set
    sti
    out 0x11, al                    ; nothing more before the EOI
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    sti
    out 0x12, al                    ; the second; the host deasserts the line in its handler
    taken:
    cli
    mov ecx, [rdi + 0x10]           ; Remote IRR is set again
    mov dword [rsi + 0xb0], 0       ; EOI
    mov edx, [rdi + 0x10]           ; and clear
    sti
    out 0x13, al                    ; no third
    cli
    out 0xf4, al
    handler:
    out 0x51, al
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(18, 1);
    run();
    run();
    run();
    run();
    vm.irq.setLine(18, 0);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > irq-line 0x12 0x1
    pio out 0x51 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x0
    pio out 0x51 u8 0x0
    > irq-line 0x12 0x0
    pio out 0x13 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0xc051
    = rcx 0xc051
    = rdx 0x8051
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
