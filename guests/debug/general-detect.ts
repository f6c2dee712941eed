import { asm, defineCases } from "../../mod.ts";

const instructions = {
  "read-dr0": "mov rbx, dr0",
  "write-dr0": "mov dr0, rax",
  "read-dr3": "mov rbx, dr3",
  "write-dr6": "mov dr6, rax",
  "read-dr7": "mov rbx, dr7",
  "write-dr7": "mov dr7, rax",
};

/** With DR7.GD any access to a debug register is a #DB before it; GD is clear in the handler. */
export default defineCases("debug/general-detect", instructions, (instruction) => ({
  spec: ["SDM 3B 18.3.1.3: general-detect exception condition", "SDM 3B 18.2.3: DR6 (BD)"],
  mode: "long",
  handlers: { 1: "handler" },
  registers: { rax: 0x1234n },
  guest: asm`
    mov esi, 0x2400
    mov dr7, rsi
    accessing:
    ${instruction}
    out 0xee, al
    handler:
    mov rcx, dr6
    mov rdx, dr7
    hlt
  `,
  trace: ({ accessing }) => `
    hlt
    = rcx 0xffff2ff0
    = rdx 0x400
    = rsi 0x2400
    = rsp 0x7fd8
    = dr6 0xffff2ff0
    = mem 0x7fd8 u64 [${accessing} 0x28 * 0x8000 0x30]
  `,
}));
