import { asm, defineCase } from "../../mod.ts";

/** A window that is requested while the guest can take an interrupt opens before its next exit. */
export default defineCase({
  id: "interrupt/window-open",
  spec: "KVM API 5: request_interrupt_window, ready_for_interrupt_injection",
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  registers: { rcx: 1200n },
  guest: asm`
    out 0x10, al
    again:
    loop again
    out 0x11, al
    hlt
  `,
  drive({ run, vcpu, assertEquals }) {
    run();
    assertEquals("ready", vcpu.readyForInterruptInjection, true);
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("ready in the window", vcpu.readyForInterruptInjection, true);
    assertEquals("if_flag in the window", vcpu.ifFlag, true);
    vcpu.requestInterruptWindow = false;
  },
  trace: `
    pio out 0x10 u8 0x0
    > request-irq-window 0x1
    irq-window
    > request-irq-window 0x0
    pio out 0x11 u8 0x0
    hlt
    = rcx 0x0
  `,
});
