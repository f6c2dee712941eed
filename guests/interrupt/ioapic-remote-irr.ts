import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * Remote IRR goes when its entry becomes edge-triggered, and does not come back with level: what
 * stands in for the EOI register that the IOAPIC does not have.
 */
export default defineCase({
  id: "interrupt/ioapic-remote-irr",
  spec: [
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR, of level-triggered interrupts only",
    "arch/x86/kvm/ioapic.c: ioapic_write_indirect, on guests that take it for an EOI",
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
    taken:
    handler:
    mov ebx, [rdi + 0x10]
    out 0x51, al                    ; the host deasserts the line
    mov ecx, [rdi + 0x10]           ; Remote IRR waits for the EOI
    mov dword [rdi + 0x10], 0x10051 ; edge, masked
    mov edx, [rdi + 0x10]
    mov dword [rdi + 0x10], 0x8051  ; level, and no line is asserted
    mov eax, [rdi + 0x10]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(18, 1);
    run();
    vm.irq.setLine(18, 0);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > irq-line 0x12 0x1
    pio out 0x51 u8 0x0
    > irq-line 0x12 0x0
    pio out 0xf4 u8 0x51
    = rax 0x8051
    = rbx 0xc051
    = rcx 0xc051
    = rdx 0x10051
    = rsp 0x7fd8
    = rflags 0x2
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
