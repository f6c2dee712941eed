import { asm, defineCase } from "../../mod.ts";

/** A handler's own fault is taken on top of its frame, and each IRETQ goes back one of them. */
export default defineCase({
  id: "interrupt/exception-nested",
  spec: ["SDM 3A 6.14.2: 64-bit mode stack frame", "SDM 3A 6.14.3: IRET in IA-32e mode"],
  mode: "long",
  machine: { rflags: { set: 0x201n } },
  registers: { rsp: 0x7ff1n },
  handlers: { 6: "undefined", 0: "divide" },
  guest: asm`
    ud2
    behind_undefined:
    mov rdx, rsp
    hlt
    undefined:
    add qword [rsp], 2              ; IRETQ goes on behind the UD2
    shl ebx, 4
    or ebx, 1
    div ecx
    behind_divide:
    shl ebx, 4
    or ebx, 3
    iretq
    divide:
    add qword [rsp], 2              ; IRETQ goes on behind the DIV
    shl ebx, 4
    or ebx, 2
    iretq
  `,
  trace: ({ behind_undefined, behind_divide }) => `
    hlt
    = rbx 0x123
    = rdx 0x7ff1
    = rflags 0x203
    = mem 0x7f98 u64 [${behind_divide} 0x28 * 0x7fc8 0x30]
    = mem 0x7fc8 u64 [${behind_undefined} 0x28 0x10203 0x7ff1 0x30]
  `,
});
