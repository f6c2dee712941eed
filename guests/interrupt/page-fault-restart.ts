import { asm, defineCase } from "../../mod.ts";

/**
 * When the handler has made the page present IRETQ runs the faulting instruction again, which then
 * does all of its work, once.
 */
export default defineCase({
  id: "interrupt/page-fault-restart",
  spec: ["SDM 3A 6.15: interrupt 14, page-fault exception", "SDM 3A 6.6: program or task restart"],
  mode: "long",
  machine: { map: [{ virtual: 0x400000, physical: 0xb000, present: false }] },
  registers: { rax: 0x11223344n, rbx: 0x400010n, rdi: 0x400010n },
  handlers: { 14: "handler" },
  guest: asm`
    faulting:
    stosd
    mov edx, [rbx]
    and qword [r8], 0xfffffffffffffffe
    hlt
    handler:
    inc esi
    mov rbp, cr2
    mov r8, cr3                     ; to the page's entry: PML4, PDPT, page directory, page table
    mov r8, [r8]
    and r8, 0xfffffffffffff000
    mov r8, [r8]
    and r8, 0xfffffffffffff000
    mov r8, [r8 + 0x10]
    and r8, 0xfffffffffffff000
    or qword [r8], 1                ; present
    invlpg [rbx]
    add rsp, 8                      ; the error code
    iretq
  `,
  trace: ({ faulting }) => `
    hlt
    = r8 *
    = rdx 0x11223344
    = rsi 0x1
    = rdi 0x400014
    = rbp 0x400010
    = rflags *
    = cr2 0x400010
    = mem 0xb010 u32 0x11223344
    = mem 0x7fd0 u64 [0x2 ${faulting} 0x28 0x10002 0x8000 0x30]
  `,
});
