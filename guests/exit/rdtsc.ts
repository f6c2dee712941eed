import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; privilege?: 3; read: string; leaves: string }> = {
  "rdtsc-real": { mode: "real", read: "rdtsc", leaves: "" },
  "rdtsc-protected": { mode: "protected", read: "rdtsc", leaves: "" },
  "rdtsc-long": { mode: "long", read: "rdtsc", leaves: "" },
  "rdtsc-user": { mode: "long", privilege: 3, read: "rdtsc", leaves: "" },
  "rdmsr-protected": {
    mode: "protected",
    read: "mov ecx, 0x10\nrdmsr",
    leaves: "= rcx 0x10",
  },
  "rdmsr-long": { mode: "long", read: "mov ecx, 0x10\nrdmsr", leaves: "= rcx 0x10" },
};

/** The time-stamp counter never runs backwards, whether RDTSC or RDMSR reads it, without an exit. */
export default defineCases("exit/rdtsc", rows, ({ mode, privilege, read, leaves }) => ({
  spec: ["SDM 2B: RDTSC, RDMSR", "SDM 3B 18.17: time-stamp counter"],
  mode,
  machine: { privilege },
  // An OUT is not for CPL 3: it reports to a device in memory.
  registers: { r15: 0xd0000000n },
  guest: asm`
    mov ebp, 8
    xor esi, esi
    xor edi, edi
    next:
    ${read}
    mov ebx, eax
    sub eax, esi
    mov eax, edx
    sbb eax, edi
    jb backwards
    mov esi, ebx
    mov edi, edx
    dec ebp
    jnz next
    mov al, 1
    jmp report
    backwards:
    mov al, 2
    report:
    ${privilege === 3 ? "mov [r15], al" : "out 0x10, al"}
  `,
  trace: `
    ${privilege === 3 ? "mmio write 0xd0000000 u8 0x1" : "pio out 0x10 u8 0x1"}
    = rax *
    = rbx *
    = rdx *
    = rsi *
    = rdi *
    = rflags 0x46
    ${leaves}
  `,
}));
