import { asm, defineCase } from "../../mod.ts";

/**
 * In x2APIC mode the local APIC's registers are MSRs: a self-IPI is one write, it waits in the IRR,
 * is taken once, and leaves the ISR with a write of the EOI register.
 */
export default defineCase({
  id: "interrupt/apic-x2apic",
  spec: [
    "SDM 3A 10.12.1: detecting and enabling x2APIC mode",
    "SDM 3A 10.12.11: SELF IPI register",
    "SDM 3A 10.12.1.2: x2APIC register address space",
  ],
  requires: [{ cpuid: "X2APIC" }],
  mode: "long",
  irqchip: "kernel",
  handlers: { 0x51: "handler" },
  guest: asm`
    mov ecx, 0x1b                   ; IA32_APIC_BASE: EXTD
    rdmsr
    or eax, 0x400
    wrmsr
    xor edx, edx
    mov ecx, 0x80f                  ; SVR
    mov eax, 0x1ff
    wrmsr
    mov ecx, 0x83f                  ; SELF IPI
    mov eax, 0x51
    wrmsr
    mov ecx, 0x822                  ; IRR of vectors 0x40 to 0x5f
    rdmsr
    mov ebx, eax
    sti
    out 0x10, al                    ; taken behind it
    taken:
    cli
    mov ecx, 0x80b                  ; EOI
    xor eax, eax
    wrmsr
    sti
    out 0x11, al                    ; nothing is left
    cli
    mov ecx, 0x802                  ; id
    rdmsr
    out 0xf4, al
    handler:
    inc esi
    mov ecx, 0x822
    rdmsr
    mov ebp, eax
    iretq
  `,
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x20000
    = rcx 0x802
    = rsi 0x1
    = rflags 0x46
    = apic-base 0xfee00d00
    = mem 0x7fd8 u64 [${taken} 0x28 0x246 0x8000 0x30]
  `,
});
