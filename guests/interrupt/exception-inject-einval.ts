import { asm, defineCases } from "../../mod.ts";

const rows = {
  nmi: { nr: 2, flags: 0 },
  "vector-32": { nr: 32, flags: 0 },
  "vector-255": { nr: 255, flags: 0 },
  "unknown-flag": { nr: 6, flags: 0x80000000 },
};

/** A state with an exception of vector 2 or above 31, or with unknown flags, is refused as a whole. */
export default defineCases("interrupt/exception-inject-einval", rows, ({ nr, flags }) => ({
  spec: "KVM API 4.32: KVM_SET_VCPU_EVENTS, EINVAL",
  mode: "long",
  guest: asm`
    mov cl, 1
    hlt
  `,
  drive({ vcpu, attempt }) {
    const events = vcpu.events();
    const exception = { injected: 1, nr, has_error_code: 0, pending: 0, error_code: 0 };
    attempt(() => vcpu.setEvents({ ...events, flags: (events.flags | flags) >>> 0, exception }));
  },
  trace: `
    > set-events -> EINVAL
    hlt
    = rcx 0x1
  `,
}));
