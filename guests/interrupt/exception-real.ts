import { asm, defineCases } from "../../mod.ts";

const rows = {
  "divide-by-zero": { vector: 0, code: "div bx", rax: 5n, rbx: 0n },
  "bound": { vector: 5, code: "bound ax, [bounds]", rax: 0x15n, rbx: 2n },
  "undefined": { vector: 6, code: "ud2", rax: 1n, rbx: 2n },
  "control-register": { vector: 13, code: "mov cr0, eax", rax: 0x80000010n, rbx: 2n },
} as const;

/** A fault in real mode pushes FLAGS, CS and the faulting instruction's IP, and no error code. */
export default defineCases("interrupt/exception-real", rows, ({ vector, code, rax, rbx }) => ({
  spec: [
    "SDM 3B 21.1.4: interrupt and exception handling in real mode",
    "SDM 3B 21.1.4, table 21-1: real-address mode exceptions and interrupts",
  ],
  mode: "real",
  machine: { rflags: { set: 0xed5n } },
  registers: { rsp: 0x7ff3n, rax, rbx },
  handlers: { [vector]: "handler" },
  guest: asm`
    nop
    faulting:
    ${code}
    ud2
    handler:
    mov dx, sp
    hlt
    bounds:
    dw 0x5, 0x14
  `,
  trace: ({ faulting }) => `
    hlt
    = rax 0x${rax.toString(16)}
    = rbx 0x${rbx.toString(16)}
    = rdx 0x7fed
    = rsp 0x7fed
    = rflags 0xcd7
    = mem 0x7fed u16 [${faulting} 0x0 0xed7]
  `,
}));
