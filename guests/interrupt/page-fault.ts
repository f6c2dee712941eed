import { asm, defineCases } from "../../mod.ts";

const read = "mov ecx, [rbx]";
const write = "mov [rbx], ecx";
const modify = "add [rbx], ecx";
const fetch = "jmp rbx";

// CPL, the page at 0x400000, the access to it, and the error code: P (0x1), W (0x2), U (0x4), I (0x10).
const rows = {
  "read-absent": { privilege: 0, page: { present: false }, code: read, error: "0x0" },
  "write-absent": { privilege: 0, page: { present: false }, code: write, error: "0x2" },
  "fetch-absent": { privilege: 0, page: { present: false }, code: fetch, error: "0x10" },
  "write-read-only": { privilege: 0, page: { writable: false }, code: write, error: "0x3" },
  "modify-read-only": { privilege: 0, page: { writable: false }, code: modify, error: "0x3" },
  "fetch-no-execute": { privilege: 0, page: { executable: false }, code: fetch, error: "0x11" },
  "user-read-absent": { privilege: 3, page: { present: false }, code: read, error: "0x4" },
  "user-write-absent": { privilege: 3, page: { present: false }, code: write, error: "0x6" },
  "user-fetch-absent": { privilege: 3, page: { present: false }, code: fetch, error: "0x14" },
  "user-read-supervisor": { privilege: 3, page: { user: false }, code: read, error: "0x5" },
  "user-write-supervisor": { privilege: 3, page: { user: false }, code: write, error: "0x7" },
  "user-write-read-only": { privilege: 3, page: { writable: false }, code: write, error: "0x7" },
  "user-fetch-supervisor": { privilege: 3, page: { user: false }, code: fetch, error: "0x15" },
  "user-fetch-no-execute": {
    privilege: 3,
    page: { executable: false },
    code: fetch,
    error: "0x15",
  },
} as const;

/**
 * A page fault pushes an error code that tells the access and what forbade it, CR2 holds the exact
 * address, and the instruction has changed nothing.
 */
export default defineCases("interrupt/page-fault", rows, ({ privilege, page, code, error }) => ({
  spec: [
    "SDM 3A 6.15: interrupt 14, page-fault exception",
    "SDM 3A 4.7: page-fault exceptions",
  ],
  requires: [{ cpuid: "NX" }],
  mode: "long",
  machine: {
    privilege,
    rflags: { set: 0x8d5n },
    efer: { set: 0x800n },
    map: [{ virtual: 0x400000, physical: 0xb000, ...page }],
  },
  registers: { rsp: 0x7ff3n, rbx: 0x400a5cn, rcx: 0x1122334455667788n },
  handlers: { 14: "handler" },
  guest: asm`
    nop
    faulting:
    ${code}
    ud2
    handler:
    mov rdx, rsp
    mov rax, cr2
    mov esi, 0x30
    mov ss, esi
    hlt
  `,
  trace: ({ faulting }) => `
    hlt
    = rax 0x400a5c
    = rcx 0x1122334455667788
    = rdx ${privilege === 3 ? "0x6fd0" : "0x7fc0"}
    = rsp ${privilege === 3 ? "0x6fd0" : "0x7fc0"}
    = rsi 0x30
    = cr2 0x400a5c
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x30
    = ss.access 0xc093
    ${
    privilege === 3
      ? `= mem 0x6fd0 u64 [${error} ${
        code === fetch ? "0x400a5c" : faulting
      } 0x4b 0x108d7 0x7ff3 0x43]`
      : `= mem 0x7fc0 u64 [${error} ${
        code === fetch ? "0x400a5c" : faulting
      } 0x28 0x108d7 0x7ff3 0x30]`
  }
  `,
}));
