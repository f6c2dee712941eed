import { asm, defineCases } from "../../mod.ts";

const instructions: Record<string, string> = {
  in: "db 0xf0, 0xec", // lock in al, dx
  out: "db 0xf0, 0xee", // lock out dx, al
  ins: "db 0xf0, 0x6c", // lock insb
  outs: "db 0xf0, 0x6e", // lock outsb
};

/** LOCK before an I/O instruction raises #UD, before anything has reached the port. */
export default defineCases("pio/lock-prefix", instructions, (instruction) => ({
  spec: "SDM 2A: LOCK",
  mode: "protected",
  handlers: { 6: "undefined_opcode" },
  registers: { rdx: 0x10n, rdi: 0xa000n, rsi: 0xa000n },
  guest: asm`
    ${instruction}
    hlt
    undefined_opcode:
    mov ebx, 1
    hlt
  `,
  trace: `
    hlt
    = rbx 0x1
    = rsp 0x7ff4
    = mem 0x7ff4 u32 [0x8000 0x8 0x10002]
  `,
}));
