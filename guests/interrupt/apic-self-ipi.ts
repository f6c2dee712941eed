import { asm, defineCases } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

// The two halves of the ICR: destination (bits 24 and up of the upper half); shorthand (18), level
// (14), logical (11) and delivery mode (8).
const ways = {
  "shorthand-self": { high: 0, low: 0x44051 },
  "shorthand-all": { high: 0, low: 0x84051 },
  "physical": { high: 0, low: 0x4051 },
  "broadcast": { high: 0xff000000, low: 0x4051 },
  "logical": { high: 0x42000000, low: 0x4851 },
  "lowest-priority": { high: 0x02000000, low: 0x4951 },
};

/** A write of the ICR's lower half sends the interrupt, once, and the ICR reads as idle. */
export default defineCases("interrupt/apic-self-ipi", ways, ({ high, low }) => ({
  spec: ["SDM 3A 10.6.1: interrupt command register", "SDM 3A 10.6.2: determining IPI destination"],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rdx: 0x99n },
  handlers: { 0x51: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x2000000; LDR: logical destination 0x02
    mov dword [rsi + 0x310], ${high}
    mov edx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f: nothing is sent yet
    mov dword [rsi + 0x300], ${low}
    mov ebx, [rsi + 0x220]
    mov ecx, [rsi + 0x300]
    sti
    out 0x10, al                    ; taken behind it
    taken:
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    sti
    out 0x11, al                    ; nothing is left
    cli
    out 0xf4, al
    handler:
    out 0x51, al
    iretq
  `,
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    pio out 0x51 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x20000
    = rcx 0x${low.toString(16)}
    = rdx 0x0
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
