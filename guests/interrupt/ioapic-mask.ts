import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

// What a line that was asserted while its pin was masked gives when the pin is unmasked.
const triggers = {
  edge: { low: 0x51, waiting: "0x0" },
  level: { low: 0x8051, waiting: "0x20000" },
};

/**
 * A masked pin gives no interrupt. Unmasked while its line is asserted, a level-triggered pin gives
 * it then; an edge on a masked pin is lost, and the next one is not.
 */
export default defineCases("interrupt/ioapic-mask", triggers, ({ low, waiting }) => ({
  spec: [
    "KVM API 4.25: KVM_IRQ_LINE",
    "82093AA 3.2.4: I/O redirection table registers, interrupt mask",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rbx: 0x99n },
  guest: asm`
    ${enableApic}
    ${redirect(18, 0x10000 | low)}
    ${redirect(19, 0x10000 | low | 0x20)}
    out 0x10, al                    ; the host asserts both lines
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f: nothing waits
    mov edx, [rsi + 0x230]          ; and of 0x60 to 0x7f
    mov dword [rdi], 0x34
    mov dword [rdi + 0x10], ${low}  ; pin 18 is unmasked
    mov ecx, [rsi + 0x220]
    out 0x11, al                    ; the host deasserts both
    mov dword [rdi], 0x36
    mov dword [rdi + 0x10], ${low | 0x20}; pin 19 is unmasked
    mov ebp, [rsi + 0x230]          ; its line is not asserted any more
    out 0x12, al                    ; the host asserts pin 19
    mov eax, [rsi + 0x230]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(18, 1);
    vm.irq.setLine(19, 1);
    run();
    vm.irq.setLine(18, 0);
    vm.irq.setLine(19, 0);
    run();
    vm.irq.setLine(19, 1);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irq-line 0x12 0x1
    > irq-line 0x13 0x1
    pio out 0x11 u8 0x0
    > irq-line 0x12 0x0
    > irq-line 0x13 0x0
    pio out 0x12 u8 0x0
    > irq-line 0x13 0x1
    pio out 0xf4 u8 0x0
    = rax 0x20000
    = rbx 0x0
    = rcx ${waiting}
  `,
}));
