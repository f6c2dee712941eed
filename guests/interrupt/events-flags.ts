import { asm, defineCase } from "../../mod.ts";

/** Of the members that flags guard those whose flag is clear are not taken over. */
export default defineCase({
  id: "interrupt/events-flags",
  spec: "KVM API 4.32: KVM_SET_VCPU_EVENTS, KVM_VCPUEVENT_VALID_NMI_PENDING and _VALID_SHADOW",
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  handlers: { 2: "nmi" },
  guest: asm`
    out 0x10, al
    hlt
    nmi:
    inc bx
    iret
  `,
  drive({ vcpu, assertEquals }) {
    const events = vcpu.events();
    vcpu.setEvents({
      ...events,
      flags: 0,
      nmi: { injected: 0, pending: 1, masked: 0 },
      interrupt: { injected: 0, nr: 0, soft: 0, shadow: 1 },
    });
    assertEquals("nmi.pending", vcpu.events().nmi.pending, 0);
    assertEquals("interrupt.shadow", vcpu.events().interrupt.shadow, 0);
  },
  trace: `
    > set-events
    pio out 0x10 u8 0x0
    hlt
  `,
});
