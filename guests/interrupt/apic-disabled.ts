import { asm, defineCase } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

/** Disabling the local APIC with SVR masks its LVT, which then stays masked until it is written. */
export default defineCase({
  id: "interrupt/apic-disabled",
  spec: ["SDM 3A 10.4.7.2: local APIC state after it has been software disabled"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff   ; SVR: enabled
    mov dword [rsi + 0x320], 0x71   ; LVT timer: not masked
    mov eax, [rsi + 0x320]
    mov dword [rsi + 0xf0], 0xff    ; SVR: disabled
    mov ebx, [rsi + 0x320]
    mov dword [rsi + 0x320], 0x72   ; cannot be unmasked now
    mov ecx, [rsi + 0x320]
    mov dword [rsi + 0xf0], 0x1ff
    mov edx, [rsi + 0x320]
    mov dword [rsi + 0x320], 0x73
    mov ebp, [rsi + 0x320]
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x71
    = rax 0x71
    = rbx 0x10071
    = rcx 0x10072
    = rdx 0x10072
    = rbp 0x73
  `,
});
