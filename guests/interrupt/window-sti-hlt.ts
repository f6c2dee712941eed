import { asm, defineCase } from "../../mod.ts";

/** HLT right after STI halts first: it is the one instruction that STI protects. The window follows. */
export default defineCase({
  id: "interrupt/window-sti-hlt",
  spec: [
    "KVM API 5: request_interrupt_window, KVM_EXIT_HLT",
    "SDM 2B: STI, interrupts are recognized after the next instruction",
  ],
  mode: "real",
  guest: asm`
    sti
    hlt
    mov cx, 1200
    again:
    loop again
    hlt
  `,
  drive({ run, vcpu, assertEquals }) {
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("ready at HLT", vcpu.readyForInterruptInjection, true);
    run();
    vcpu.requestInterruptWindow = false;
  },
  trace: `
    > request-irq-window 0x1
    hlt
    irq-window
    > request-irq-window 0x0
    hlt
    = rflags 0x202
  `,
});
