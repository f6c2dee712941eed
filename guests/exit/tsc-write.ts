import { asm, defineCase } from "../../mod.ts";

/** WRMSR to the time-stamp counter moves it for RDTSC and RDMSR alike, without an exit. */
export default defineCase({
  id: "exit/tsc-write",
  spec: ["SDM 3B 18.17: time-stamp counter (IA32_TIME_STAMP_COUNTER)", "SDM 2C: WRMSR"],
  mode: "protected",
  guest: asm`
    mov ecx, 0x10
    mov eax, 0x9abcdef0
    mov edx, 0x12345678
    wrmsr
    rdtsc
    mov esi, edx
    rdmsr
    mov edi, edx
    mov eax, 0x10
    xor edx, edx
    wrmsr
    rdtsc
    xor eax, eax
    hlt
  `,
  // The low halves run on, for less than 2^30 ticks; the high ones are what was written.
  trace: `
    hlt
    = rcx 0x10
    = rsi 0x12345678
    = rdi 0x12345678
    = rflags 0x46
  `,
});
