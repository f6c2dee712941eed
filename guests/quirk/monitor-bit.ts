import { asm, defineCase } from "../../mod.ts";

/**
 * Without KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT, CPUID.1:ECX.MONITOR follows bit 18 of
 * IA32_MISC_ENABLE.
 */
export default defineCase({
  id: "quirk/monitor-bit",
  spec: [
    "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT)",
    "SDM 4 2.1: IA32_MISC_ENABLE (ENABLE MONITOR FSM)",
  ],
  mode: "long",
  requires: [{ capability: "KVM_CAP_DISABLE_QUIRKS2", atLeast: 0x10 }],
  guest: asm`
    mov ecx, 0x1a0
    rdmsr
    mov esi, eax
    mov edi, edx
    or eax, 0x40000
    wrmsr
    call report
    mov ecx, 0x1a0
    mov eax, esi
    mov edx, edi
    and eax, ~0x40000
    wrmsr
    call report
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor edi, edi
    hlt
    report:
    mov eax, 1
    cpuid
    mov eax, ecx
    shr eax, 3
    and eax, 1
    out 0x10, al
    ret
  `,
  drive: ({ vm }) => vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", 0x10),
  trace: `
    > enable disable-quirks2 0x10
    pio out 0x10 u8 0x1
    pio out 0x10 u8 0x0
    hlt
    = rflags 0x46
    = mem 0x7ff8 u64 *
  `,
});
