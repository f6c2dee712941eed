import { asm, defineCases } from "../../mod.ts";

/** A writable data segment that is not present, for the selector 0x78. */
const absentSegment = 0x00cf13000000ffffn;

// The vector; the error code, where one is pushed; the registers that the instruction works on.
const rows = {
  "divide-by-zero": { vector: 0, error: "", code: "div ebx", rax: 5n, rbx: 0n },
  "divide-overflow": { vector: 0, error: "", code: "div bl", rax: 0xfffen, rbx: 0x7fn },
  "signed-divide-overflow": {
    vector: 0,
    error: "",
    code: "idiv bl",
    rax: 0xff80n,
    rbx: 0xffn,
  },
  "undefined": { vector: 6, error: "", code: "ud2", rax: 1n, rbx: 2n },
  "not-canonical": {
    vector: 13,
    error: "0x0",
    code: "mov eax, [rbx]",
    rax: 1n,
    rbx: 0x800000000000n,
  },
  "control-register": { vector: 13, error: "0x0", code: "mov cr0, rax", rax: 0x80000000n, rbx: 2n },
  "beyond-gdt": { vector: 13, error: "0x120", code: "mov ds, eax", rax: 0x123n, rbx: 2n },
  "no-ldt": { vector: 13, error: "0x14", code: "mov es, eax", rax: 0x15n, rbx: 2n },
  "system-segment": { vector: 13, error: "0x68", code: "mov fs, eax", rax: 0x68n, rbx: 2n },
  "code-as-stack": { vector: 13, error: "0x28", code: "mov ss, eax", rax: 0x28n, rbx: 2n },
  "segment-not-present": { vector: 11, error: "0x78", code: "mov gs, eax", rax: 0x78n, rbx: 2n },
  "stack-not-present": { vector: 12, error: "0x78", code: "mov ss, eax", rax: 0x78n, rbx: 2n },
  "stack-not-canonical": {
    vector: 12,
    error: "0x0",
    code: "mov eax, [rsp + rbx]",
    rax: 1n,
    rbx: 0x7ffffffff000n,
  },
} as const;

/**
 * A fault in 64-bit mode changes no register and pushes SS, RSP, RFLAGS with RF, CS, the faulting
 * instruction's RIP and the vector's error code if it has one, onto a stack aligned to 16 bytes, and
 * nothing else; TF, NT and RF are then clear, and IF by the interrupt gate.
 */
export default defineCases(
  "interrupt/exception-long",
  rows,
  ({ vector, error, code, rax, rbx }) => ({
    spec: [
      "SDM 3A 6.14.2: 64-bit mode stack frame",
      "SDM 3A 6.13: error code",
      "SDM 3A 6.15: exception and interrupt reference",
      "SDM 3B 17.3.1.1: RF in the image of RFLAGS",
    ],
    mode: "long",
    machine: { rflags: { set: 0x4ed5n }, descriptors: { 0x78: absentSegment } },
    registers: { rsp: 0x7ff3n, rax, rbx },
    handlers: { [vector]: "handler" },
    guest: asm`
    nop
    faulting:
    ${code}
    ud2
    handler:
    mov rdx, rsp
    hlt
  `,
    trace: ({ faulting }) => {
      const stack = error === "" ? "0x7fc8" : "0x7fc0";
      return `
      hlt
      = rax 0x${rax.toString(16)}
      = rbx 0x${rbx.toString(16)}
      = rdx ${stack}
      = rsp ${stack}
      = rflags 0xcd7
      = mem ${stack} u64 [${error} ${faulting} 0x28 0x14ed7 0x7ff3 0x30]
    `;
    },
  }),
);
