import { asm, defineCases } from "../../mod.ts";

/** A writable data segment that is not present, for the selector 0x78. */
const absentSegment = 0x00cf13000000ffffn;

const rows = {
  "divide-by-zero": { vector: 0, error: "", code: "div ebx", rax: 5n, rbx: 0n },
  "bound": { vector: 5, error: "", code: "bound eax, [bounds]", rax: 0x15n, rbx: 2n },
  "undefined": { vector: 6, error: "", code: "ud2", rax: 1n, rbx: 2n },
  "segment-not-present": { vector: 11, error: "0x78", code: "mov es, eax", rax: 0x78n, rbx: 2n },
  "stack-not-present": { vector: 12, error: "0x78", code: "mov ss, eax", rax: 0x78n, rbx: 2n },
  "system-segment": { vector: 13, error: "0x68", code: "mov es, eax", rax: 0x68n, rbx: 2n },
  "beyond-gdt": { vector: 13, error: "0x120", code: "mov ds, eax", rax: 0x123n, rbx: 2n },
} as const;

/**
 * A fault in protected mode pushes EFLAGS with RF, CS, the faulting instruction's EIP and the
 * vector's error code if it has one, four bytes each, and nothing else.
 */
export default defineCases("interrupt/exception-protected", rows, (row) => ({
  spec: [
    "SDM 3A 6.12.1: exception- or interrupt-handler procedures",
    "SDM 3A 6.13: error code",
    "SDM 3A 6.15: exception and interrupt reference",
  ],
  mode: "protected",
  machine: { rflags: { set: 0xed5n }, descriptors: { 0x78: absentSegment } },
  registers: { rsp: 0x7ff3n, rax: row.rax, rbx: row.rbx },
  handlers: { [row.vector]: "handler" },
  guest: asm`
    nop
    faulting:
    ${row.code}
    ud2
    handler:
    mov edx, esp
    hlt
    bounds:
    dd 0x5, 0x14
  `,
  trace: ({ faulting }) => {
    const stack = row.error === "" ? "0x7fe7" : "0x7fe3";
    // The processor's own faults: see exception-long.
    const flags = row.vector === 6 ? "0x10ed7" : "0x10ed7";
    return `
      hlt
      = rax 0x${row.rax.toString(16)}
      = rbx 0x${row.rbx.toString(16)}
      = rdx ${stack}
      = rsp ${stack}
      = rflags 0xcd7
      = mem ${stack} u32 [${row.error} ${faulting} 0x8 ${flags}]
    `;
  },
}));
