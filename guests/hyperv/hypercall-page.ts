import { asm, defineCases } from "../../mod.ts";
import { calls } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { identify } from "./_words.ts";

const rows = {
  vmcall: { call: calls.vmcall, bytes: "0xf 0x1 0xc1 0xc3" },
  vmmcall: { call: calls.vmmcall, bytes: "0xf 0x1 0xd9 0xc3" },
};

/** The hypercall page holds the vendor's instruction and a return; calling it calls the hypervisor. */
export default defineCases("hyperv/hypercall-page", rows, ({ call, bytes }) => ({
  spec: "TLFS 3.13: establishing the hypercall interface",
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, call.requires],
  ...underHyperv({
    guest: asm`
      ${identify}
      mov ecx, 0x40000001
      mov eax, 0xb001
      xor edx, edx
      wrmsr
      mov ecx, 0x7f                   ; no such code
      mov ebx, 0xb000
      call rbx
      behind:
      out 0x10, al
      mov ecx, 0x40000000             ; without an id the page is off
      xor eax, eax
      xor edx, edx
      wrmsr
      mov ecx, 0x40000001
      rdmsr
      out 0xf4, eax
    `,
    trace: ({ behind }) => `
      pio out 0x10 u8 0x2
      pio out 0xf4 u32 0xb000
      = rax 0xb000
      = rbx 0xb000
      = rcx 0x40000001
      = rflags 0x46
      = mem 0xb000 u8 [${bytes}]
      = mem 0x7ff8 u64 ${behind}
    `,
  }),
}));
