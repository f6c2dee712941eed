import { asm, defineCases } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

const ways = {
  "shorthand-others": { high: 0, low: 0xc4051 },
  "physical-other": { high: 0x01000000, low: 0x4051 },
  "logical-other": { high: 0x05000000, low: 0x4851 },
};

/** An IPI to others does not come back to its sender. */
export default defineCases("interrupt/apic-ipi-elsewhere", ways, ({ high, low }) => ({
  spec: "SDM 3A 10.6.2: determining IPI destination",
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rbx: 0x99n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x2000000; LDR: logical destination 0x02
    mov dword [rsi + 0x310], ${high}
    mov dword [rsi + 0x300], ${low}
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    sti
    out 0x10, al
    cli
    out 0xf4, al
  `,
  trace: `
    pio out 0x10 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x0
  `,
}));
