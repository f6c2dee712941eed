import { asm, defineCases } from "../../mod.ts";

// The first fault has no gate, and neither has the #NP that this makes.
const rows = {
  "divide-error": { code: "div ebx", map: [], cr2: "" },
  "general-protection": { code: "mov ds, eax", map: [], cr2: "" },
  "page-fault": {
    code: "mov [0x400123], al",
    map: [{ virtual: 0x400000, physical: 0, size: 0x1000, present: false }],
    cr2: "= cr2 0x400123",
  },
};

/**
 * A contributory exception or a page fault whose delivery faults is a double fault: vector 8, error
 * code 0, on the stack as it was before.
 */
export default defineCases("interrupt/double-fault", rows, ({ code, map, cr2 }) => ({
  spec: "SDM 3A 6.15: interrupt 8, double fault exception",
  mode: "long",
  machine: { map },
  registers: { rsp: 0x7ff1n, rax: 0x123n },
  handlers: { 8: "double_fault" },
  guest: asm`
    ${code}
    ud2
    double_fault:
    mov rdx, rsp
    hlt
  `,
  trace: `
    hlt
    = rax 0x123
    = rdx 0x7fc0
    = rsp 0x7fc0
    ${cr2}
    = mem 0x7fc0 u64 [0x0 * 0x28 * 0x7ff1 0x30]
  `,
}));
