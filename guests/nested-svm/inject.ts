import { asm, defineCases } from "../../mod.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

/** EVENTINJ: vector, type (bits 10 to 8), error code valid (11), valid (31), error code (63 to 32). */
const rows = {
  interrupt: { event: 0x80000030n, vector: 0x30, error: undefined },
  nmi: { event: 0x80000202n, vector: 2, error: undefined },
  exception: { event: 0x80000306n, vector: 6, error: undefined },
  "exception-with-error-code": { event: 0x1234_80000b0dn, vector: 13, error: "0x1234" },
};

/** An event that VMRUN injects is the first thing that the guest sees. */
export default defineCases("nested-svm/inject", rows, ({ event, vector, error }) => ({
  spec: "APM 2 15.20: event injection",
  mode: "long",
  requires,
  machine,
  handlers: { [vector]: "handler" },
  guest: asm`
    ${run}
    ${report}
    nested:
    out 0xee, al
    handler:
    mov esi, 1
    at:
    vmmcall
  `,
  drive: ({ write, labels }) =>
    write(VMCB, vmcb({ rip: labels.get("nested")!, second: 2, eventInjection: event })),
  trace: ({ at, nested }) => `
    ${reported(0x81, 0n, 0n, at)}
    hlt
    = rflags 0x46
    = rsi 0x1
    = mem 0x${error === undefined ? "7bd8" : "7bd0"} u64 [${
    error === undefined ? "" : `${error} `
  }${nested} 0x28 * 0x7c00 0x30]
    ${written}
  `,
}));
