import { asm, defineCase } from "../../mod.ts";

/** The bases that WRMSR gives FS and GS address memory at once; SWAPGS exchanges GS's. */
export default defineCase({
  id: "exit/msr-segment-base",
  spec: ["SDM 3A 3.4.4: IA32_FS_BASE, IA32_GS_BASE", "SDM 2B: SWAPGS"],
  mode: "long",
  guest: asm`
    xor edx, edx
    mov ecx, 0xc0000100
    mov eax, 0xa100
    wrmsr
    mov ecx, 0xc0000101
    mov eax, 0xb200
    wrmsr
    mov ecx, 0xc0000102
    mov eax, 0xc300
    wrmsr
    mov ebx, 8
    mov dword [fs:rbx], 0x11223344
    mov dword [gs:rbx], 0x55667788
    swapgs
    mov dword [gs:rbx], 0x99aabbcc
    rdmsr
    hlt
  `,
  trace: `
    hlt
    = rax 0xb200
    = rbx 0x8
    = rcx 0xc0000102
    = rflags 0x46
    = fs.base 0xa100
    = gs.base 0xc300
    = mem 0xa108 u32 0x11223344
    = mem 0xb208 u32 0x55667788
    = mem 0xc308 u32 0x99aabbcc
  `,
});
