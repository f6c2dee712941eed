import { asm, defineCases } from "../../mod.ts";

const rows = {
  "privileged": { vector: 13, code: "hlt", error: "0x0" },
  "port": { vector: 13, code: "out 0x10, al", error: "0x0" },
  "cli": { vector: 13, code: "cli", error: "0x0" },
  "undefined": { vector: 6, code: "ud2", error: "" },
};

/** A fault at CPL 3 goes to the stack that the TSS names for CPL 0, with the old one pushed. */
export default defineCases("interrupt/exception-user", rows, ({ vector, code, error }) => ({
  spec: [
    "SDM 3A 6.14.4: stack switching in IA-32e mode",
    "SDM 3A 6.12.1.1: protection of exception- and interrupt-handler procedures",
    "SDM 3A 6.13: error code",
  ],
  mode: "long",
  machine: { privilege: 3, rflags: { set: 0x1n } },
  registers: { rsp: 0x7ff3n },
  handlers: { [vector]: "handler" },
  guest: asm`
    nop
    faulting:
    ${code}
    ud2
    handler:
    mov rdx, rsp
    mov eax, 0x30
    mov ss, eax
    hlt
  `,
  trace: ({ faulting }) => {
    const stack = error === "" ? "0x6fd8" : "0x6fd0";
    // The processor's own faults: see exception-long.
    const flags = vector === 6 ? "0x10003" : "0x10003";
    return `
      hlt
      = rax 0x30
      = rdx ${stack}
      = rsp ${stack}
      = cs.selector 0x28
      = cs.access 0xa09b
      = ss.selector 0x30
      = ss.access 0xc093
      = mem ${stack} u64 [${error} ${faulting} 0x4b ${flags} 0x7ff3 0x43]
    `;
  },
}));
