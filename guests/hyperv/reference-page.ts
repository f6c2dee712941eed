import { asm, defineCase } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/**
 * The page of the reference counter has a sequence, a scale and an offset with which the time stamp
 * counter gives the time that the register of the counter reads. Where the host's clock does not
 * allow that the sequence is 0, and the page is of no use.
 */
export default defineCase({
  id: "hyperv/reference-page",
  spec: ["TLFS 12.5: reference time; 12.6: partition reference TSC page"],
  mode: "long",
  requires,
  ...underHyperv({
    guest: asm`
      mov ecx, 0x40000021
      mov eax, 0xb001
      xor edx, edx
      wrmsr
      rdmsr
      out 0x10, eax
      mov r8d, [0xb000]
      test r8d, r8d
      jz over
      call page
      mov rbx, rax
      mov ecx, 0x40000020
      rdmsr
      shl rdx, 32
      or rax, rdx
      mov rbp, rax
      call page
      cmp rbx, rbp                    ; page, register, page: in order
      seta cl
      mov r8d, ecx
      cmp rbp, rax
      seta cl
      or r8d, ecx
      and r8d, 0xff
      inc r8d
      over:
      cmp r8d, 1                      ; 0 or 1
      seta al
      out 0x11, al
      xor eax, eax
      xor ebx, ebx
      xor ecx, ecx
      xor edx, edx
      xor ebp, ebp
      xor r8d, r8d
      out 0xf4, al
      page:
      rdtsc
      shl rdx, 32
      or rax, rdx
      mul qword [0xb008]
      mov rax, rdx
      add rax, [0xb010]
      ret
    `,
    trace: `
      pio out 0x10 u32 0xb001
      pio out 0x11 u8 0x0
      pio out 0xf4 u8 0x0
      = rflags 0x46
      = r8 0x0
      = mem 0xb000 u64 [0x0|0x1 * *]
      = mem 0x7ff8 u64 *
    `,
  }),
});
