import { asm, defineCase } from "../../mod.ts";

/** CPUID.1:EDX.APIC is clear while IA32_APIC_BASE disables the local APIC. */
export default defineCase({
  id: "cpuid/apic",
  spec: ["SDM 3A 10.4.3: enabling or disabling the local APIC", "SDM 2A: CPUID (APIC)"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    call report
    mov ecx, 0x1b
    mov eax, 0xfee00100
    xor edx, edx
    wrmsr
    call report
    mov ecx, 0x1b
    mov eax, 0xfee00900
    xor edx, edx
    wrmsr
    call report
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    mov qword [0x7ff8], 0
    out 0xf4, al
    report:
    mov eax, 1
    cpuid
    mov eax, edx
    shr eax, 9
    and eax, 1
    out 0x10, al
    ret
  `,
  trace: `
    pio out 0x10 u8 0x1
    pio out 0x10 u8 0x0
    pio out 0x10 u8 0x1
    pio out 0xf4 u8 0x0
    = rflags 0x46
  `,
});
