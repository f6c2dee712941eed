import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** The local APIC's one-shot timer wakes the guest from HLT once, and stands at 0 from then on. */
export default defineCase({
  id: "interrupt/apic-timer",
  spec: ["SDM 3A 10.5.4: APIC timer", "SDM 2A: HLT"],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rdx: 0x99n },
  handlers: { 0x71: "handler" },
  guest: asm`
    ${enableApic}
    mov dword [rsi + 0x3e0], 0xb    ; divide by 1
    mov dword [rsi + 0x320], 0x71   ; LVT timer: one-shot, vector 0x71
    mov dword [rsi + 0x380], 0x40000; initial count
    sti
    hlt
    halted:
    cli
    mov edx, [rsi + 0x390]          ; current count
    mov ecx, [rsi + 0x380]          ; initial count
    mov dword [rsi + 0xb0], 0       ; EOI
    mov ebp, [rsi + 0x230]          ; IRR of vectors 0x60 to 0x7f: no second one
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  trace: ({ halted }) => `
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x40000
    = rdx 0x0
    = mem 0x7fd8 u64 [${halted} 0x28 0x202 0x8000 0x30]
  `,
});
