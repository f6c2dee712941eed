import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/**
 * A requested interrupt window makes KVM_RUN return when the guest can take an interrupt, once: not
 * while IF is clear, and after STI not before the next instruction is done.
 */
export default defineCases("interrupt/window-sti", modes, (mode) => ({
  spec: [
    "KVM API 5: request_interrupt_window, ready_for_interrupt_injection, if_flag",
    "SDM 2B: STI, interrupts are recognized after the next instruction",
  ],
  mode,
  guest: asm`
    mov bx, 1
    out 0x10, al
    mov bx, 2
    sti
    mov bx, 3
    mov bx, 4
    hlt
  `,
  drive({ run, vcpu, assertEquals }) {
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("ready while IF is clear", vcpu.readyForInterruptInjection, false);
    assertEquals("if_flag while IF is clear", vcpu.ifFlag, false);
    run();
    assertEquals("ready in the window", vcpu.readyForInterruptInjection, true);
    assertEquals("if_flag in the window", vcpu.ifFlag, true);
    assertEquals("BX in the window", vcpu.regs().rbx, 3n);
    vcpu.requestInterruptWindow = false;
  },
  trace: `
    > request-irq-window 0x1
    pio out 0x10 u8 0x0
    irq-window
    > request-irq-window 0x0
    hlt
    = rbx 0x4
    = rflags 0x202
  `,
}));
