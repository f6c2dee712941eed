import { asm, defineCases } from "../../mod.ts";

const rows = {
  "dr6-high-half": { vector: 13, cr4: 0n, instruction: "mov dr6, rax", error: true },
  "dr7-high-half": { vector: 13, cr4: 0n, instruction: "mov dr7, rax", error: true },
  // CR4.DE takes DR4 and DR5 away.
  "dr4-debugging-extensions": { vector: 6, cr4: 0x8n, instruction: "mov rbx, dr4", error: false },
  "dr5-debugging-extensions": { vector: 6, cr4: 0x8n, instruction: "mov dr5, rax", error: false },
} as const;

/** A debug register that cannot be named or take a value so faults at the MOV and stays as it was. */
export default defineCases("exit/debug-register-fault", rows, (row) => ({
  spec: ["SDM 2B: MOV to and from debug registers (#GP(0), #UD)", "SDM 3B 18.2.2: DR4 and DR5"],
  mode: "long",
  machine: { cr4: { set: row.cr4 }, rflags: { set: 0x8d5n } },
  handlers: { [row.vector]: "fault" },
  registers: { rax: 0x100000400n },
  guest: asm`
    accessing:
    ${row.instruction}
    out 0x10, al
    fault:
    mov cl, ${row.vector}
    hlt
  `,
  trace: ({ accessing }) => `
    hlt
    = rcx 0x${row.vector.toString(16)}
    = rsp ${row.error ? "0x7fd0" : "0x7fd8"}
    = mem 0x7fd0 u64 [0x0 ${accessing} 0x28 0x108d7 0x8000 0x30]
  `,
}));
