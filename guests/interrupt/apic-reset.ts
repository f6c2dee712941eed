import { asm, defineCase } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

/** The local APIC's registers after reset: software-disabled, all of its LVT masked but LINT0. */
export default defineCase({
  id: "interrupt/apic-reset",
  spec: [
    "SDM 3A 10.4.7.1: local APIC state after power-up or reset",
    "KVM API 4.24: KVM_CREATE_IRQCHIP",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    mov eax, [rsi + 0x20]           ; ID
    mov [0xa000], eax
    mov eax, [rsi + 0x80]           ; TPR
    mov [0xa004], eax
    mov eax, [rsi + 0xa0]           ; PPR
    mov [0xa008], eax
    mov eax, [rsi + 0xd0]           ; LDR
    mov [0xa00c], eax
    mov eax, [rsi + 0xe0]           ; DFR
    mov [0xa010], eax
    mov eax, [rsi + 0xf0]           ; SVR
    mov [0xa014], eax
    mov eax, [rsi + 0x300]          ; ICR
    mov [0xa018], eax
    mov eax, [rsi + 0x310]
    mov [0xa01c], eax
    mov eax, [rsi + 0x320]          ; LVT: timer
    mov [0xa020], eax
    mov eax, [rsi + 0x360]          ; LINT1
    mov [0xa024], eax
    mov eax, [rsi + 0x370]          ; error
    mov [0xa028], eax
    mov eax, [rsi + 0x380]          ; initial count
    mov [0xa02c], eax
    mov eax, [rsi + 0x390]          ; current count
    mov [0xa030], eax
    mov eax, [rsi + 0x3e0]          ; divide configuration
    mov [0xa034], eax
    mov eax, [rsi + 0x30]           ; version, without the number of LVT entries
    and eax, 0xff0000f0
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x10
    = rax 0x10
    = rflags 0x2|0x12
    = mem 0xa000 u32 [0x0 0x0 0x0 0x0 0xffffffff 0xff 0x0 0x0]
    = mem 0xa020 u32 [0x10000 0x10000 0x10000 0x0 0x0 0x0]
  `,
});
