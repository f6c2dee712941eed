import { asm, defineCase } from "../../mod.ts";

/** A fetch from a device's page with XD set is a page fault; reading through it is not. */
export default defineCase({
  id: "mmio/no-execute",
  spec: ["SDM 3A 4.6.2: access rights and XD", "SDM 3A 4.7: page-fault exceptions"],
  mode: "long",
  requires: [{ cpuid: "NX" }],
  machine: { map: [{ virtual: 0x30000, physical: 0xd0000000, executable: false }] },
  handlers: { 14: "fault" },
  guest: asm`
    mov al, [0x30040]
    mov edx, 0x30041
    jmp rdx
    fault:
    pop rbx
    hlt
  `,
  trace: `
    mmio read 0xd0000040 u8 -> 0x77
    hlt
    = rax 0x77
    = rdx 0x30041
    = rbx 0x11
    = rsp 0x7fd8
    = cr2 0x30041
    = mem 0x7fd0 u64 [0x11 0x30041 0x28 0x10002 0x8000 0x30]
  `,
});
