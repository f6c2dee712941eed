import { asm, defineCase, defineCases } from "../../mod.ts";

/** The area of stolen time is written under an even version, and the flags stay 0. */
const written = defineCase({
  id: "paravirt/steal-time",
  spec: ["KVM x86 MSRs: MSR_KVM_STEAL_TIME", "KVM API 8.24: KVM_CAP_STEAL_TIME"],
  mode: "long",
  requires: [{ cpuid: "KVM-STEAL-TIME" }],
  guest: asm`
    mov ecx, 0x4b564d03
    mov eax, 0xa041
    xor edx, edx
    wrmsr
    out 0x10, al
    mov ebx, [0xa048]               ; version
    out 0x11, al
    cmp ebx, 0
    sete al
    out 0x12, al                    ; there is one
    mov eax, ebx
    and eax, 1
    out 0x13, al                    ; and it is even
    mov al, [0xa050]                ; running, so not preempted
    out 0x14, al
    xor eax, eax
    wrmsr                           ; off
    mov dword [0xa048], 0x5555
    out 0x15, al
    xor ebx, ebx
    xor ecx, ecx
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x41
    pio out 0x11 u8 0x41
    pio out 0x12 u8 0x0
    pio out 0x13 u8 0x0
    pio out 0x14 u8 0x0
    pio out 0x15 u8 0x0
    hlt
    = rflags 0x46
    = mem 0xa040 u64 *
    = mem 0xa048 u32 [0x5555 0x0]
    = mem 0xa050 u8 *
  `,
});

const rows = { "odd-version": 5, "even-version": 8, "last-version": 0xffffffff };

/** Whatever is in the area before: the version becomes even, and who runs is not preempted. */
const junk = defineCases("paravirt/steal-time", rows, (version) => ({
  spec: "KVM x86 MSRs: MSR_KVM_STEAL_TIME (version, preempted)",
  mode: "long",
  requires: [{ cpuid: "KVM-STEAL-TIME" }],
  registers: { rbx: BigInt(version) },
  guest: asm`
    mov [0xa048], ebx
    mov byte [0xa050], 1            ; preempted
    mov ecx, 0x4b564d03
    mov eax, 0xa041
    xor edx, edx
    wrmsr
    out 0x10, al
    mov ebx, [0xa048]
    and ebx, 1
    movzx edi, byte [0xa050]
    xor eax, eax
    wrmsr
    xor ecx, ecx
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x41
    hlt
    = rbx 0x0
    = rdi 0x0
    = rflags 0x46
    = mem 0xa040 u64 *
    = mem 0xa048 u32 *
    = mem 0xa050 u8 0x0
  `,
}));

export default [written, ...junk];
