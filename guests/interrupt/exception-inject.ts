import { asm, defineCases } from "../../mod.ts";

const rows = {
  "divide-error": { nr: 0, error: "" },
  "undefined": { nr: 6, error: "" },
  "double-fault": { nr: 8, error: "0x0" },
  "general-protection": { nr: 13, error: "0x18" },
  "page-fault": { nr: 14, error: "0x7" },
};

/** An exception that a restored state says is being delivered is delivered, once. */
export default defineCases("interrupt/exception-inject", rows, ({ nr, error }) => ({
  spec: "KVM API 4.32: KVM_SET_VCPU_EVENTS, exception.injected",
  mode: "long",
  handlers: { [nr]: "handler" },
  guest: asm`
    first:
    mov cl, 1
    hlt
    handler:
    mov rdx, rsp
    inc ebx
    ${error === "" ? "" : "add rsp, 8"}
    iretq
  `,
  drive({ vcpu, assertEquals }) {
    const events = vcpu.events();
    vcpu.setEvents({
      ...events,
      exception: {
        injected: 1,
        nr,
        has_error_code: error === "" ? 0 : 1,
        pending: 0,
        error_code: Number(error),
      },
    });
    const { injected, nr: vector, error_code } = vcpu.events().exception;
    assertEquals("as set", [injected, vector, error_code], [1, nr, Number(error)]);
  },
  trace: ({ first }) => {
    const stack = error === "" ? "0x7fd8" : "0x7fd0";
    return `
      > set-events
      hlt
      = rbx 0x1
      = rcx 0x1
      = rdx ${stack}
      = mem ${stack} u64 [${error} ${first} 0x28 0x2 0x8000 0x30]
    `;
  },
}));
