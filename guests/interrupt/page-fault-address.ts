import { asm, defineCases } from "../../mod.ts";

// The address that is read with eight bytes, and what CR2 holds then.
const rows = {
  "pml4-entry-absent": { address: 0x123456789abcn, cr2: 0x123456789abcn },
  "pdpt-entry-absent": { address: 0x7feedcba98n, cr2: 0x7feedcba98n },
  "upper-half": { address: 0xffff800012345678n, cr2: 0xffff800012345678n },
  "last-page": { address: 0xfffffffffffff001n, cr2: 0xfffffffffffff001n },
  "second-page": { address: 0x3ffffdn, cr2: 0x400000n },
  "first-page": { address: 0x400ffbn, cr2: 0x400ffbn },
};

/** CR2 holds the whole linear address, and of an access that crosses a page the one that faulted. */
export default defineCases("interrupt/page-fault-address", rows, ({ address, cr2 }) => ({
  spec: [
    "SDM 3A 6.15: interrupt 14, page-fault exception, CR2",
    "SDM 3A 4.7: page-fault exceptions",
  ],
  mode: "long",
  machine: { map: [{ virtual: 0x400000, physical: 0xb000, present: false }] },
  registers: { rbx: address, rcx: 0x1122334455667788n },
  handlers: { 14: "handler" },
  guest: asm`
    faulting:
    mov rcx, [rbx]
    handler:
    mov rdx, rsp
    mov rax, cr2
    hlt
  `,
  trace: ({ faulting }) => `
    hlt
    = rax 0x${cr2.toString(16)}
    = rcx 0x1122334455667788
    = rdx 0x7fd0
    = rsp 0x7fd0
    = cr2 0x${cr2.toString(16)}
    = mem 0x7fd0 u64 [0x0 ${faulting} 0x28 0x10002 0x8000 0x30]
  `,
}));
