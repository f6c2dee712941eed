import { asm, defineCase } from "../../mod.ts";

/** A restored state that says NMIs are blocked holds an NMI back until IRET. */
export default defineCase({
  id: "interrupt/nmi-masked-state",
  spec: ["KVM API 4.32: KVM_SET_VCPU_EVENTS, nmi.masked", "SDM 3A 6.7.1: handling multiple NMIs"],
  requires: ["KVM_CAP_USER_NMI"],
  mode: "real",
  handlers: { 2: "nmi" },
  guest: asm`
    out 0x10, al                    ; blocked: nothing is taken here
    push 0x2
    push 0
    push returned
    iret
    returned:
    mov cx, 1200
    again:
    loop again
    out 0x12, al
    hlt
    nmi:
    inc bx
    out 0x11, al
    iret
  `,
  drive({ run, vcpu, assertEquals }) {
    const events = vcpu.events();
    vcpu.setEvents({ ...events, nmi: { ...events.nmi, masked: 1 } });
    assertEquals("masked", vcpu.events().nmi.masked, 1);
    vcpu.nmi();
    run();
    assertEquals("pending", vcpu.events().nmi.pending, 1);
  },
  trace: `
    > set-events
    > nmi
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x0
    hlt
    = rbx 0x1
    = mem 0x7ffa u16 [* 0x0 0x2]
  `,
});
