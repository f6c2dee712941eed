import { asm, defineCases } from "../../mod.ts";

const shadows = { "mov-ss": 1, sti: 2 };

/** A restored interrupt shadow keeps the window shut for one instruction, and no longer. */
export default defineCases("interrupt/window-shadow-state", shadows, (shadow) => ({
  spec: [
    "KVM API 4.32: KVM_SET_VCPU_EVENTS, interrupt.shadow",
    "KVM API 5: request_interrupt_window",
  ],
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  guest: asm`
    mov bx, 1
    mov bx, 2
    hlt
  `,
  drive({ run, vcpu, assertEquals }) {
    const events = vcpu.events();
    vcpu.setEvents({ ...events, interrupt: { ...events.interrupt, shadow } });
    // AMD has one shadow for both, which KVM then reports as both.
    assertEquals("shadow as set", vcpu.events().interrupt.shadow & shadow, shadow);
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("BX in the window", vcpu.regs().rbx, 1n);
    assertEquals("shadow in the window", vcpu.events().interrupt.shadow, 0);
    vcpu.requestInterruptWindow = false;
  },
  trace: `
    > set-events
    > request-irq-window 0x1
    irq-window
    > request-irq-window 0x0
    hlt
    = rbx 0x2
  `,
}));
