import { asm, defineCase } from "../../mod.ts";

/** CPUID.7:ECX.OSPKE follows CR4.PKE. */
export default defineCase({
  id: "cpuid/protection-keys",
  spec: "SDM 2A: CPUID leaf 07H (OSPKE)",
  mode: "long",
  requires: [{ cpuid: "PKU" }],
  guest: asm`
    call report
    mov rax, cr4
    or eax, 0x400000
    mov cr4, rax
    call report
    mov rax, cr4
    and eax, ~0x400000
    mov cr4, rax
    call report
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    mov qword [0x7ff8], 0
    hlt
    report:
    mov eax, 7
    xor ecx, ecx
    cpuid
    mov eax, ecx
    shr eax, 4
    and eax, 1
    out 0x10, al
    ret
  `,
  trace: `
    pio out 0x10 u8 0x0
    pio out 0x10 u8 0x1
    pio out 0x10 u8 0x0
    hlt
    = rflags 0x46
  `,
});
