import { asm, defineCase } from "../../mod.ts";

/** An exception with an error code on an interrupt stack pushes the same frame there. */
export default defineCase({
  id: "interrupt/exception-ist",
  spec: ["SDM 3A 6.14.5: interrupt stack table", "SDM 3A 6.13: error code"],
  mode: "long",
  registers: { rsp: 0x7ff1n, rax: 0x123n },
  handlers: { 13: { at: "handler", ist: 3 } },
  guest: asm`
    faulting:
    mov ds, eax                     ; beyond the GDT
    handler:
    mov rdx, rsp
    mov eax, 0x30                   ; whether SS was kept is left open
    mov ss, eax
    hlt
  `,
  trace: ({ faulting }) => `
    hlt
    = rax 0x30
    = rdx 0x65d0
    = rsp 0x65d0
    = mem 0x65d0 u64 [0x120 ${faulting} 0x28 0x10002 0x7ff1 0x30]
  `,
});
