import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit?: string; state?: string }> = {
  "out-16": { instruction: "out 0x10, ax", exit: "pio out 0x10 u16 0xc7e8" },
  "insw": {
    instruction: "insw",
    exit: "pio in 0x10 u16 -> 0x9f3b",
    state: "= mem 0xa000 u16 0x9f3b\n= rdi 0xa002",
  },
  "denied-out-32": { instruction: "out 0x10, eax" },
  "denied-outsd": { instruction: "outsd" },
};

/**
 * The I/O permission bitmap of a 32-bit TSS, which has zeros for the ports 0x10 and 0x11 here, decides
 * at CPL 3 in protected mode. What is denied raises #GP(0) at its address, and so does the HLT after
 * what is not.
 */
export default defineCases(
  "pio/io-permission-32-bit",
  rows,
  ({ instruction, exit = "", state = "" }) => ({
    spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.5.2: I/O permission bit map"],
    mode: "protected",
    requires: [{
      notEmulatedBy: "qemu-tcg",
      because: "it aborts at a stack switch through a busy 32-bit TSS",
    }],
    machine: { privilege: 3, ioPorts: [0x10, 0x11] },
    handlers: { 13: "general_protection" },
    registers: { rax: 0x85a6c7e8n, rdx: 0x10n, rdi: 0xa000n, rsi: 0xb000n },
    guest: asm`
      access:
      ${instruction}
      passed:
      hlt
      general_protection:
      hlt
    `,
    trace: ({ access, passed }) => `
      ${exit}
      hlt
      ${state}
      = mem 0x6fe8 u32 [0x0 ${exit === "" ? access : passed} 0x1b 0x10002 0x8000 0x23]
      = rsp 0x6fe8
      = cs.selector 0x8
      = cs.access 0xc09b
      = ss.selector 0x10
      = ss.access 0xc093
    `,
  }),
);
