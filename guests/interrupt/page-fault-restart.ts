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
  registers: { rbx: 0x400010n, rcx: 0x11223344n },
  handlers: { 14: "handler" },
  guest: asm`
    faulting:
    add [rbx], ecx
    mov edx, [rbx]
    and qword [rax], 0xfffffffffffffffe
    hlt
    handler:
    inc esi
    mov rdi, cr2
    mov rax, cr3                    ; to the page's entry: PML4, PDPT, page directory, page table
    mov rax, [rax]
    and rax, 0xfffffffffffff000
    mov rax, [rax]
    and rax, 0xfffffffffffff000
    mov rax, [rax + 0x10]
    and rax, 0xfffffffffffff000
    or qword [rax], 1               ; present
    invlpg [rbx]
    add rsp, 8                      ; the error code
    iretq
  `,
  trace: ({ faulting }) => `
    hlt
    = rax *
    = rdx 0x11223344
    = rsi 0x1
    = rdi 0x400010
    = rflags *
    = cr2 0x400010
    = mem 0xb010 u32 0x11223344
    = mem 0x7fd0 u64 [0x2 ${faulting} 0x28 0x10002 0x8000 0x30]
  `,
});
