import { asm, defineCase } from "../../mod.ts";

/** CLI right after STI leaves no window: the one instruction that STI protects has cleared IF. */
export default defineCase({
  id: "interrupt/window-sti-cli",
  spec: [
    "KVM API 5: request_interrupt_window",
    "SDM 2B: STI, no interrupt is recognized when CLI follows",
  ],
  mode: "real",
  guest: asm`
    sti
    cli
    out 0x10, al
    sti
    cli
    out 0x11, al
    sti                             ; not undone: the request is still in force
    mov cx, 1200
    again:
    loop again
    hlt
  `,
  drive({ run, vcpu }) {
    vcpu.requestInterruptWindow = true;
    run();
    run();
    run();
    vcpu.requestInterruptWindow = false;
  },
  trace: `
    > request-irq-window 0x1
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x0
    irq-window
    > request-irq-window 0x0
    hlt
    = rflags 0x202
  `,
});
