import { asm, defineCases } from "../../mod.ts";

const rows = { new: 0x4b564d01, old: 0x12 };

/**
 * The clock's page: a version that is even, the counter and the time it stands for, and how to get
 * from one to the other, by which the time never goes back.
 */
export default defineCases("paravirt/clock", rows, (msr) => ({
  spec: "KVM x86 MSRs: MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_SYSTEM_TIME",
  mode: "long",
  requires: [{ cpuid: msr === 0x12 ? "KVM-CLOCKSOURCE" : "KVM-CLOCKSOURCE2" }],
  guest: asm`
    mov ecx, ${msr}
    mov eax, 0xa001
    xor edx, edx
    wrmsr
    out 0x10, al                    ; an entry, at which it is written
    call now
    mov rsi, rax
    out 0x11, al
    call now
    cmp rax, rsi
    setb al
    out 0x12, al                    ; never back
    test byte [0xa000], 1
    setnz al
    out 0x13, al                    ; the version is even
    cmp dword [0xa000], 0
    sete al
    out 0x14, al                    ; and not 0
    xor eax, eax                    ; off: the page is let alone
    xor edx, edx
    wrmsr
    mov rsi, -1
    mov [0xa000], rsi
    out 0x15, al
    out 0x16, al
    xor ecx, ecx
    xor esi, esi
    xor edi, edi
    xor ebx, ebx
    hlt

    now:
    rdtsc
    shl rdx, 32
    or rax, rdx
    sub rax, [0xa008]               ; tsc_timestamp
    mov cl, [0xa01c]                ; tsc_shift
    test cl, cl
    js right
    shl rax, cl
    jmp scaled
    right:
    neg cl
    shr rax, cl
    scaled:
    mov ebx, [0xa018]               ; tsc_to_system_mul
    mul rbx
    shrd rax, rdx, 32
    add rax, [0xa010]               ; system_time
    mov ecx, ${msr}
    ret
  `,
  trace: `
    pio out 0x10 u8 0x1
    pio out 0x11 u8 *
    pio out 0x12 u8 0x0
    pio out 0x13 u8 0x0
    pio out 0x14 u8 0x0
    pio out 0x15 u8 0x0
    pio out 0x16 u8 0x0
    hlt
    = rdx 0x0
    = rflags 0x46
    = mem 0x7ff8 u64 *
    = mem 0xa000 u64 [0xffffffffffffffff * *]
    = mem 0xa018 u8 [* * * * * * 0x0 0x0]
  `,
}));
