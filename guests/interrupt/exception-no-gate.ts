import { asm, defineCases } from "../../mod.ts";

// How the vector without a gate is reached, and the error code of what comes instead: eight times
// the vector, bit 1 for the IDT, and bit 0 (EXT) for an event external to the program, which an
// exception is to SDM 3A 6.13 and is not to APM 2 8.2.
const rows = {
  "external-interrupt": { code: "out 0x10, al\nresumed:", error: "0x103", interrupt: true },
  "undefined": { code: "resumed: ud2", error: "0x32|0x33", interrupt: false },
};

/**
 * What has no gate and is neither contributory nor a page fault gives #NP with the index of its gate
 * as the error code.
 */
export default defineCases("interrupt/exception-no-gate", rows, ({ code, error, interrupt }) => ({
  spec: [
    "SDM 3A 6.15: interrupt 11, segment not present",
    "SDM 3A 6.13: error code, IDT and EXT",
  ],
  mode: "long",
  machine: { rflags: { set: 0x200n } },
  handlers: { 11: "handler" },
  guest: asm`
    ${code}
    hlt
    handler:
    mov rdx, rsp
    hlt
  `,
  drive({ run, vcpu }) {
    if (!interrupt) return;
    run();
    vcpu.interrupt(0x20);
  },
  trace: ({ resumed }) => `
    ${interrupt ? "pio out 0x10 u8 0x0\n> interrupt 0x20" : ""}
    hlt
    = rflags 0x2
    = rdx 0x7fd0
    = rsp 0x7fd0
    = mem 0x7fd0 u64 [${error} ${resumed} 0x28 0x202|0x10202 0x8000 0x30]
  `,
}));
