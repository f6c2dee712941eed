import { asm, defineCases } from "../../mod.ts";

const members = {
  pending: { injected: 0, pending: 1, masked: 0 },
  injected: { injected: 1, pending: 0, masked: 0 },
};

/** A restored state with an NMI that waits, or whose delivery was begun, delivers it, once. */
export default defineCases("interrupt/nmi-by-state", members, (nmi) => ({
  spec: "KVM API 4.32: KVM_SET_VCPU_EVENTS, nmi.pending and nmi.injected",
  mode: "real",
  handlers: { 2: "nmi" },
  guest: asm`
    first:
    mov cx, bx
    out 0x10, al
    hlt
    nmi:
    inc bx
    iret
  `,
  drive({ vcpu }) {
    vcpu.setEvents({ ...vcpu.events(), nmi });
  },
  trace: ({ first }) => `
    > set-events
    pio out 0x10 u8 0x0
    hlt
    = rbx 0x1
    = rcx 0x1
    = mem 0x7ffa u16 [${first} 0x0 0x2]
  `,
}));
