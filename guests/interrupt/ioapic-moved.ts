import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

const rows = {
  // While the interrupt is in service its pin gets another destination, mask or trigger mode.
  "another-destination": { half: 0x35, value: 0x01000000, then: 0x8051 },
  "masked": { half: 0x34, value: 0x18051, then: 0x18051 },
  "written-as-it-is": { half: 0x34, value: 0x8051, then: 0x8051 },
};

/** A change of its pin's entry does not take an interrupt in service away from its EOI. */
export default defineCases("interrupt/ioapic-moved", rows, ({ half, value, then }) => ({
  spec: [
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR (read-only, reset by an EOI message)",
    "SDM 3A 10.8.5: signaling interrupt servicing completion",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    ${enableApic}
    ${redirect(18, 0x8051)}
    out 0x10, al                    ; the host asserts the line
    push qword 0x202
    popfq                           ; no shadow
    taken:
    jmp taken
    handler:
    out 0x11, al                    ; the host deasserts it
    mov dword [rdi], ${half}
    mov dword [rdi + 0x10], ${value}
    mov dword [rdi], 0x34
    mov ebx, [rdi + 0x10]           ; Remote IRR stays
    out 0x12, al
    mov dword [rsi + 0xb0], 0       ; EOI
    mov ecx, [rdi + 0x10]
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
    pio out 0x11 u8 0x0
    > irq-line 0x12 0x0
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x${(then | 0x4000).toString(16)}
    = rcx 0x${then.toString(16)}
    = rsp 0x7fd8
    = rflags 0x2
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
