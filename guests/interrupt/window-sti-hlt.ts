import { asm, defineCase } from "../../mod.ts";

/** HLT right after STI halts first: it is the one instruction that STI protects. */
export default defineCase({
  id: "interrupt/window-sti-hlt",
  spec: [
    "KVM API 5: request_interrupt_window, KVM_EXIT_HLT",
    "SDM 2B: STI, interrupts are recognized after the next instruction",
  ],
  mode: "real",
  handlers: { 0x20: "handler" },
  guest: asm`
    sti
    hlt
    halted:
    mov cx, bx
    cli
    hlt
    handler:
    inc bx
    iret
  `,
  drive({ run, vcpu, assertEquals }) {
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("ready at HLT", vcpu.readyForInterruptInjection, true);
    vcpu.requestInterruptWindow = false;
    vcpu.interrupt(0x20);
  },
  trace: ({ halted }) => `
    > request-irq-window 0x1
    hlt
    > request-irq-window 0x0
    > interrupt 0x20
    hlt
    = rbx 0x1
    = rcx 0x1
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
});
