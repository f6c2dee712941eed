import { asm, defineCase } from "../../mod.ts";

/** With CR4.TSD set RDTSC is a #GP(0) at CPL 3, at the instruction, and no exit. */
export default defineCase({
  id: "exit/tsc-disable",
  spec: ["SDM 2B: RDTSC (#GP(0) if CR4.TSD is set and CPL is above 0)", "SDM 3A 2.5: CR4.TSD"],
  mode: "long",
  machine: { privilege: 3, cr4: { set: 0x4n }, rflags: { set: 0x8d5n } },
  handlers: { 13: "fault" },
  guest: asm`
    reading:
    rdtsc
    out 0x10, al
    fault:
    ; At CPL 0 the counter can be read all the same.
    rdtsc
    mov eax, 0x30
    mov ss, ax
    mov eax, 0x13
    mov edx, eax
    hlt
  `,
  trace: ({ reading }) => `
    hlt
    = rax 0x13
    = rdx 0x13
    = rsp 0x6fd0
    = mem 0x6fd0 u64 [0x0 ${reading} 0x4b 0x108d7 0x8000 0x43]
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x30
    = ss.access 0xc093
  `,
});
