import { asm, defineCases } from "../../mod.ts";

const VALID_PAYLOAD = 0x10;

const rows = {
  "undefined": { nr: 6, error: "" },
  "general-protection": { nr: 13, error: "0x18" },
};

/**
 * With KVM_CAP_EXCEPTION_PAYLOAD a restored exception may still be pending: KVM tells it from one
 * whose delivery was begun, and delivers it as the fault that it is, with RF in the image.
 */
export default defineCases("interrupt/exception-pending", rows, ({ nr, error }) => ({
  spec: [
    "KVM API 4.32: KVM_SET_VCPU_EVENTS, exception.pending",
    "KVM API 7.18: KVM_CAP_EXCEPTION_PAYLOAD",
    "SDM 3B 17.3.1.1: RF in the image of RFLAGS",
  ],
  requires: ["KVM_CAP_EXCEPTION_PAYLOAD"],
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
  drive({ vm, vcpu, assertEquals }) {
    vm.enableCapability("KVM_CAP_EXCEPTION_PAYLOAD", 1);
    const events = vcpu.events();
    vcpu.setEvents({
      ...events,
      flags: events.flags | VALID_PAYLOAD,
      exception: {
        injected: 0,
        nr,
        has_error_code: error === "" ? 0 : 1,
        pending: 1,
        error_code: Number(error),
      },
    });
    const { injected, pending } = vcpu.events().exception;
    assertEquals("injected and pending", [injected, pending], [0, 1]);
  },
  trace: ({ first }) => {
    const stack = error === "" ? "0x7fd8" : "0x7fd0";
    return `
      > enable exception-payload 0x1
      > set-events
      hlt
      = rbx 0x1
      = rcx 0x1
      = rdx ${stack}
      = mem ${stack} u64 [${error} ${first} 0x28 0x10002 0x8000 0x30]
    `;
  },
}));
