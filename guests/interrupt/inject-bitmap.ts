import { asm, defineCase } from "../../mod.ts";

/**
 * An enqueued interrupt is the one bit of KVM_GET_SREGS's interrupt_bitmap and of KVM_GET_VCPU_EVENTS
 * until it is delivered.
 */
export default defineCase({
  id: "interrupt/inject-bitmap",
  spec: ["KVM API 4.13: KVM_GET_SREGS, interrupt_bitmap", "KVM API 4.31: KVM_GET_VCPU_EVENTS"],
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  handlers: { 0xa5: "handler" },
  guest: asm`
    out 0x10, al
    resumed:
    hlt
    handler:
    out 0x11, al
    iret
  `,
  drive({ run, vcpu, assertEquals }) {
    run();
    assertEquals("bitmap before", vcpu.sregs().interrupt_bitmap, [0n, 0n, 0n, 0n]);
    vcpu.interrupt(0xa5);
    assertEquals("bitmap", vcpu.sregs().interrupt_bitmap, [0n, 0n, 1n << 37n, 0n]);
    const { injected, nr, soft } = vcpu.events().interrupt;
    assertEquals("interrupt event", [injected, nr, soft], [1, 0xa5, 0]);
    run();
    assertEquals("bitmap in the handler", vcpu.sregs().interrupt_bitmap, [0n, 0n, 0n, 0n]);
    assertEquals("event in the handler", vcpu.events().interrupt.injected, 0);
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > interrupt 0xa5
    pio out 0x11 u8 0x0
    hlt
    = mem 0x7ffa u16 [${resumed} 0x0 0x202]
  `,
});
