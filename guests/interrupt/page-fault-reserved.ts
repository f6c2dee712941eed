import { asm, defineCases } from "../../mod.ts";

// A 2 MiB page whose address has bit 13 set, and a page with bit 63 set while EFER.NXE is clear: both
// bits are reserved on every processor.
const large = { virtual: 0x400000, physical: 0, pageSize: 0x200000, size: 0x200000, bits: 0x2000n };
const noExecute = { virtual: 0x400000, physical: 0xb000, executable: false };

const rows = {
  "read-large": { page: large, code: "mov ecx, [rbx]", error: "0x9" },
  "write-large": { page: large, code: "mov [rbx], ecx", error: "0xb" },
  "read-no-execute": { page: noExecute, code: "mov ecx, [rbx]", error: "0x9" },
  "write-no-execute": { page: noExecute, code: "mov [rbx], ecx", error: "0xb" },
};

/** A reserved bit in a paging-structure entry faults with RSVD and P in the error code. */
export default defineCases("interrupt/page-fault-reserved", rows, ({ page, code, error }) => ({
  spec: [
    "SDM 3A 4.7: page-fault exceptions, RSVD",
    "SDM 3A 4.5: 4-level paging, reserved bits",
  ],
  mode: "long",
  machine: { map: [page], efer: { clear: 0x800n } },
  registers: { rbx: 0x400123n, rcx: 0x1122334455667788n },
  handlers: { 14: "handler" },
  guest: asm`
    faulting:
    ${code}
    ud2
    handler:
    mov rdx, rsp
    mov rax, cr2
    hlt
  `,
  trace: ({ faulting }) => `
    hlt
    = rax 0x400123
    = rcx 0x1122334455667788
    = rdx 0x7fd0
    = rsp 0x7fd0
    = cr2 0x400123
    = mem 0x7fd0 u64 [${error} ${faulting} 0x28 0x10002 0x8000 0x30]
  `,
}));
