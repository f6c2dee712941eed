import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, redirect } from "./_apic.ts";

// Entry bits (11: logical), the entry's destination, and the IRR then.
const destinations = {
  "physical-self": { low: 0x51, destination: 0x00, request: "0x20000" },
  "physical-other": { low: 0x51, destination: 0x01, request: "0x0" },
  "physical-broadcast": { low: 0x51, destination: 0xff, request: "0x20000" },
  "logical-self": { low: 0x851, destination: 0x42, request: "0x20000" },
  "logical-other": { low: 0x851, destination: 0xbd, request: "0x0" },
  "logical-broadcast": { low: 0x851, destination: 0xff, request: "0x20000" },
};

/** A pin's interrupt goes to the local APIC that its entry names, by id or by logical destination. */
export default defineCases("interrupt/ioapic-destination", destinations, (row) => ({
  spec: [
    "82093AA 3.2.4: I/O redirection table registers, destination field",
    "SDM 3A 10.6.2: determining IPI destination",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rbx: 0x99n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x2000000; LDR: logical destination 0x02
    ${redirect(18, row.low, row.destination)}
    out 0x10, al                    ; the host asserts the line
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov ecx, [rsi + 0x1a0]          ; TMR: an edge
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(18, 1);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irq-line 0x12 0x1
    pio out 0xf4 u8 0x0
    = rbx ${row.request}
  `,
}));
