import { asm, defineCase } from "../../mod.ts";

/** CPUID.1:ECX.OSXSAVE follows CR4.OSXSAVE, whatever KVM_SET_CPUID2 said. */
export default defineCase({
  id: "exit/cpuid-osxsave",
  spec: ["SDM 2A: CPUID, table 3-10 (OSXSAVE)", "SDM 3A 2.5: CR4.OSXSAVE"],
  mode: "protected",
  requires: [{ cpuid: "XSAVE" }],
  guest: asm`
    mov eax, 1
    cpuid
    mov esi, ecx
    mov eax, 0x40000
    mov cr4, eax
    mov eax, 1
    cpuid
    mov edi, ecx
    xor eax, eax
    mov cr4, eax
    mov eax, 1
    cpuid
    ; Keep OSXSAVE alone of each, as bits 0, 1 and 2.
    shr esi, 27
    and esi, 1
    shr edi, 26
    and edi, 2
    shr ecx, 25
    and ecx, 4
    mov eax, esi
    or eax, edi
    or eax, ecx
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor edi, edi
    hlt
  `,
  trace: `
    hlt
    = rax 0x2
    = rflags 0x46
  `,
});
