import { asm, defineCases } from "../../mod.ts";

const instructions = {
  rdmsr: "rdmsr",
  wrmsr: "wrmsr",
  "mov-from-cr0": "mov rax, cr0",
  "mov-to-cr3": "mov cr3, rax",
  "mov-from-cr8": "mov rax, cr8",
  "mov-from-dr7": "mov rax, dr7",
  clts: "clts",
  lmsw: "lmsw ax",
  invlpg: "invlpg [rbx]",
  wbinvd: "wbinvd",
  invd: "invd",
};

/** A privileged instruction at CPL 3 is a #GP(0) in the guest, at the instruction, and no exit. */
export default defineCases("exit/privileged", instructions, (instruction) => ({
  spec: ["SDM 3A 5.9: privileged instructions", "SDM 3A 6.15: Interrupt 13"],
  mode: "long",
  machine: { privilege: 3, rflags: { set: 0x8d5n } },
  handlers: { 13: "fault" },
  // FS's base, 0x1000: a write that went through would show.
  registers: { rax: 0x1000n, rbx: 0xa000n, rcx: 0xc0000100n },
  guest: asm`
    privileged:
    ${instruction}
    out 0x10, al
    fault:
    mov ebx, 0x30
    mov ss, bx
    hlt
  `,
  trace: ({ privileged }) => `
    hlt
    = rax 0x1000
    = rbx 0x30
    = rsp 0x6fd0
    = mem 0x6fd0 u64 [0x0 ${privileged} 0x4b 0x108d7 0x8000 0x43]
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x30
    = ss.access 0xc093
  `,
}));
