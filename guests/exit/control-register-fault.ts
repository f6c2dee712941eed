import { asm, defineCases } from "../../mod.ts";

const rows = {
  "cr0-paging-without-protection": { register: "cr0", value: 0x80000010n },
  "cr0-write-through-without-cache-disable": { register: "cr0", value: 0xa0010031n },
  "cr0-high-half": { register: "cr0", value: 0x180010031n },
  // Paging cannot be switched off in 64-bit code.
  "cr0-paging-off": { register: "cr0", value: 0x10031n },
  "cr3-beyond-physical": { register: "cr3", value: 0x20000000010000n },
  "cr4-reserved": { register: "cr4", value: 0x8020n },
  "cr4-reserved-high": { register: "cr4", value: 0x8000000000000020n },
  "cr4-pae-off": { register: "cr4", value: 0x0n },
  "cr8-reserved": { register: "cr8", value: 0x10n },
} as const;

/** A value that a control register cannot have is a #GP(0) at the MOV, and nothing changes. */
export default defineCases("exit/control-register-fault", rows, ({ register, value }) => ({
  spec: ["SDM 2B: MOV to control registers (#GP(0))", "SDM 3A 2.5: control registers"],
  mode: "long",
  machine: { rflags: { set: 0x8d5n } },
  handlers: { 13: "fault" },
  registers: { rax: value },
  guest: asm`
    writing:
    mov ${register}, rax
    out 0x10, al
    fault:
    mov bl, 13
    hlt
  `,
  trace: ({ writing }) => `
    hlt
    = rax 0x${value.toString(16)}
    = rbx 0xd
    = rsp 0x7fd0
    = mem 0x7fd0 u64 [0x0 ${writing} 0x28 0x108d7 0x8000 0x30]
  `,
}));
