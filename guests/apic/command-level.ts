import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Bit 14: assert; bit 15: level-triggered.
  "fixed-asserted": { low: 0xc051, request: 0x20000, trigger: 0x20000 },
  // Bit 12, delivery status, is read-only: the ICR reads as idle.
  "fixed-delivery-status": { low: 0x5051, request: 0x20000, trigger: 0 },
  "fixed-edge": { low: 0x4051, request: 0x20000, trigger: 0 },
  // De-assertion is for INIT alone, and tells nothing but arbitration ids.
  "fixed-deasserted": { low: 0x8051, request: 0, trigger: 0 },
  "init-deasserted": { low: 0x8500, request: 0, trigger: 0 },
  "init-deasserted-to-all": { low: 0x88500, request: 0, trigger: 0 },
  // A startup IPI is for a processor that waits for it.
  "startup": { low: 0x4609, request: 0, trigger: 0 },
} as const;

/** An IPI's level and trigger mode: what of it arrives, and as what, at the sender itself. */
export default defineCases("apic/command-level", rows, ({ low, request, trigger }) => ({
  spec: [
    "SDM 3A 10.6.1: interrupt command register (level, trigger mode)",
    "SDM 3A 8.4.3: MP initialization protocol (INIT, SIPI)",
    "SDM 3A 10.8.4: interrupt acceptance for fixed interrupts (TMR)",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x310], 0
    mov dword [rsi + 0x300], ${low}
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov ecx, [rsi + 0x1a0]          ; TMR
    mov edx, [rsi + 0x300]
    mov ebp, [rsi + 0x200]          ; no vector below
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x0
    = rbx 0x${request.toString(16)}
    = rcx 0x${trigger.toString(16)}
    = rdx 0x${(low & ~0x1000).toString(16)}
  `,
}));
