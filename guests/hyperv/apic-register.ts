import { asm, defineCase } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/** The local APIC's interrupt command, task priority and end of interrupt as synthetic registers. */
export default defineCase({
  id: "hyperv/apic-register",
  spec: "TLFS 10.2: local APIC MSR accesses (HV_X64_MSR_EOI, ICR, TPR)",
  mode: "long",
  irqchip: "kernel",
  requires,
  registers: { rsi: 0xfee00000n },
  ...underHyperv({
    handlers: { 0x71: "handler" },
    guest: asm`
      mov dword [rsi + 0xf0], 0x1ff
      mov ecx, 0x40000072
      mov eax, 0x80                   ; above the interrupt's class
      xor edx, edx
      wrmsr
      mov eax, [rsi + 0x80]
      out 0x10, eax
      mov ecx, 0x40000071
      mov eax, 0x00044071             ; fixed, to itself
      mov edx, 0x03000000
      wrmsr
      mov eax, [rsi + 0x230]
      out 0x11, eax
      rdmsr
      out 0x12, eax
      mov eax, edx
      out 0x13, eax
      push 0x202
      popfq
      nop
      cli
      mov ecx, 0x40000072
      xor eax, eax
      xor edx, edx
      wrmsr
      push 0x202
      popfq
      nop
      cli
      mov ebp, [rsi + 0x130]
      xor ecx, ecx
      out 0xf4, al
      handler:
      inc ebx
      mov edi, [rsi + 0x130]
      mov ecx, 0x40000070
      wrmsr
      iretq
    `,
    trace: `
      pio out 0x10 u32 0x80
      pio out 0x11 u32 0x20000
      pio out 0x12 u32 0x44071
      pio out 0x13 u32 0x3000000
      pio out 0xf4 u8 0x0
      = rbx 0x1
      = rdi 0x20000
      = rbp 0x0
      = rflags 0x46
      = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
    `,
  }),
});
