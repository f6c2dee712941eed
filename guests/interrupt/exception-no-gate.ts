import { asm, defineCases } from "../../mod.ts";

// What comes instead of the vector that cannot be delivered, and its error code: eight times the
// vector, bit 1 for the IDT, and bit 0 (EXT) for an event external to the program, which an
// exception is to SDM 3A 6.13 and is not to APM 2 8.2.
const interrupt = { vector: 0x20, code: "out 0x10, al\nresumed:", error: "0x103" };
const undefinedOpcode = { vector: 6, code: "resumed: ud2", error: "0x32|0x33" };
const absent = { at: "handler", present: 0 } as const;

const rows = {
  "interrupt-not-present": { ...interrupt, handlers: { 0x20: absent, 11: "handler" } },
  "interrupt-no-gate": { ...interrupt, handlers: { 13: "handler" } },
  "undefined-not-present": { ...undefinedOpcode, handlers: { 6: absent, 11: "handler" } },
  "undefined-no-gate": { ...undefinedOpcode, handlers: { 13: "handler" } },
};

/**
 * What is neither contributory nor a page fault and has no gate gives #NP where the gate is not
 * present and #GP where its type is none, with the gate's index as the error code.
 */
export default defineCases(
  "interrupt/exception-no-gate",
  rows,
  ({ vector, code, error, handlers }) => ({
    spec: [
      "SDM 2A: INT n, operation of interrupts and exceptions",
      "SDM 3A 6.15: interrupt 11, segment not present; interrupt 13, general protection",
      "SDM 3A 6.13: error code, IDT and EXT",
    ],
    mode: "long",
    machine: { rflags: { set: 0x200n } },
    handlers,
    guest: asm`
      ${code}
      hlt
      handler:
      mov rdx, rsp
      hlt
    `,
    drive({ run, vcpu }) {
      if (vector !== 0x20) return;
      run();
      vcpu.interrupt(0x20);
    },
    trace: ({ resumed }) => `
      ${vector === 0x20 ? "pio out 0x10 u8 0x0\n> interrupt 0x20" : ""}
      hlt
      = rflags 0x2
      = rdx 0x7fd0
      = rsp 0x7fd0
      = mem 0x7fd0 u64 [${error} ${resumed} 0x28 0x10202 0x8000 0x30]
    `,
  }),
);
