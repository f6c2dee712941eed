import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit: string; state: string }> = {
  "out-imm8": { instruction: "out 0x10, al", exit: "pio out 0x10 u8 0xe8", state: "" },
  "out-ax": {
    instruction: "db 0x66, 0x66, 0xef", // out dx, ax with its prefix twice
    exit: "pio out 0x1f0 u16 0xc7e8",
    state: "",
  },
  "in-imm8": {
    instruction: "in al, 0x10",
    exit: "pio in 0x10 u8 -> 0x9f",
    state: "= rax 0x85a6c79f",
  },
  "rep-insw": {
    instruction: "rep insw",
    exit: "pio in 0x1f0 u16 -> [0x8180 0x1213]",
    state: "= mem 0xa000 u16 [0x8180 0x1213]\n= rdi 0xa004\n= rcx 0x0",
  },
};

/** An I/O instruction whose bytes lie on two pages is one access, and RIP goes past all of it. */
export default defineCases("pio/page-crossing-code", rows, ({ instruction, exit, state }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: IN", "SDM 2B: OUT"],
  mode: "long",
  registers: { rax: 0x85a6c7e8n, rcx: 2n, rdx: 0x1f0n, rdi: 0xa000n },
  guest: asm`
    jmp access
    times 0x8fff - 0x8000 - ($ - $$) nop
    access:
    ${instruction}
    mov ebx, 1
    hlt
  `,
  trace: `
    ${exit}
    hlt
    = rbx 0x1
    ${state}
  `,
}));
