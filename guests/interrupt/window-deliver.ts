import { asm, defineCase } from "../../mod.ts";

/** Interrupts that wait for windows: each is taken where its window opened, and one window each. */
export default defineCase({
  id: "interrupt/window-deliver",
  spec: ["KVM API 5: request_interrupt_window", "KVM API 4.16: KVM_INTERRUPT"],
  mode: "real",
  handlers: { 0x20: "first", 0x21: "second" },
  guest: asm`
    sti
    inc cx
    opened:
    inc cx
    cli
    hlt
    first:
    mov bx, cx
    sti                             ; opens the next window, inside the handler
    inc dx
    nested:
    inc dx
    iret
    second:
    mov si, dx
    iret
  `,
  drive({ run, vcpu, assertEquals, labels }) {
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("RIP in the first window", vcpu.regs().rip, labels.get("opened"));
    vcpu.interrupt(0x20);
    // IF is clear in the handler, so the next window is the one that it opens itself.
    run();
    assertEquals("RIP in the second window", vcpu.regs().rip, labels.get("nested"));
    vcpu.interrupt(0x21);
    vcpu.requestInterruptWindow = false;
  },
  trace: ({ opened, nested }) => `
    > request-irq-window 0x1
    irq-window
    > interrupt 0x20
    irq-window
    > interrupt 0x21
    > request-irq-window 0x0
    hlt
    = rbx 0x1
    = rcx 0x2
    = rdx 0x2
    = rsi 0x1
    = mem 0x7ff4 u16 [${nested} 0x0 0x202 ${opened} 0x0 0x202]
  `,
});
