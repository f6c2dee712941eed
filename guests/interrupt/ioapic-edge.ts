import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

// Bits 8 and up of the redirection entry: delivery mode, and polarity (13), which means nothing to
// KVM_IRQ_LINE: 1 always means active.
const entries = {
  "pin16": { pin: 16, low: 0x51 },
  "pin23": { pin: 23, low: 0x51 },
  "pin1": { pin: 1, low: 0x51 },
  "active-low": { pin: 18, low: 0x2051 },
  "lowest-priority": { pin: 18, low: 0x151 },
};

/** A rising edge on an IOAPIC pin gives one interrupt; a line that stays high gives no other one. */
export default defineCases("interrupt/ioapic-edge", entries, ({ pin, low }) => ({
  spec: [
    "KVM API 4.24: KVM_CREATE_IRQCHIP",
    "KVM API 4.25: KVM_IRQ_LINE, 1 always means active",
    "82093AA 3.2.4: I/O redirection table registers",
  ],
  mode: "long",
  irqchip: "kernel",
  withoutLens: {
    restore:
      "KVM_GET_IRQCHIP does not tell that an edge-triggered line is still high once it was delivered",
  },
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    mov al, 0xff                    ; the PIC, which has some of these lines too, is masked
    out 0x21, al
    ${enableApic}
    ${redirect(pin, low)}
    mov al, 1
    sti
    out 0x10, al                    ; the host asserts the line
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    mov al, 2
    sti
    out 0x10, al                    ; the host asserts it again
    mov al, 3
    out 0x10, al                    ; the host deasserts it
    mov al, 4
    out 0x10, al                    ; the host asserts it
    taken:
    cli
    mov dword [rdi], ${0x10 + 2 * pin}
    mov ebx, [rdi + 0x10]           ; the entry is as it was
    out 0xf4, al
    handler:
    out 0x51, al
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(pin, 1);
    run();
    run();
    vm.irq.setLine(pin, 1);
    run();
    vm.irq.setLine(pin, 0);
    run();
    vm.irq.setLine(pin, 1);
  },
  trace: ({ taken }) => {
    const gsi = `0x${pin.toString(16)}`;
    return `
      pio out 0x10 u8 0x1
      > irq-line ${gsi} 0x1
      pio out 0x51 u8 0x1
      pio out 0x10 u8 0x2
      > irq-line ${gsi} 0x1
      pio out 0x10 u8 0x3
      > irq-line ${gsi} 0x0
      pio out 0x10 u8 0x4
      > irq-line ${gsi} 0x1
      pio out 0x51 u8 0x4
      pio out 0xf4 u8 0x4
      = rax 0x4
      = rbx 0x${low.toString(16)}
      = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
    `;
  },
}));
