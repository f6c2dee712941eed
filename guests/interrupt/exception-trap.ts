import { asm, defineCases } from "../../mod.ts";

const rows = {
  int3: { code: "int3", vector: 3 },
  "int-3": { code: "int 3", vector: 3 },
  "int-0x30": { code: "int 0x30", vector: 0x30 },
  "int-255": { code: "int 0xff", vector: 0xff },
};

/** A software interrupt pushes the RIP behind it, without RF, and IRETQ goes on from there. */
export default defineCases("interrupt/exception-trap", rows, ({ code, vector }) => ({
  spec: ["SDM 2A: INT n/INTO/INT3/INT1", "SDM 3A 6.14.2: 64-bit mode stack frame"],
  mode: "long",
  machine: { rflags: { set: 0xad5n } },
  handlers: { [vector]: "handler" },
  guest: asm`
    ${code}
    behind:
    mov cl, 1
    hlt
    handler:
    mov rdx, rsp
    pushfq
    pop rbx
    iretq
  `,
  trace: ({ behind }) => `
    hlt
    = rbx 0x8d7
    = rcx 0x1
    = rdx 0x7fd8
    = mem 0x7fd0 u64 [0x8d7 ${behind} 0x28 0xad7 0x8000 0x30]
  `,
}));
