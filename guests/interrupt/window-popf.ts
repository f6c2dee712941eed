import { asm, defineCases } from "../../mod.ts";

const openers = {
  popf: "popf",
  iret: "iret",
};

/** POPF and IRET that set IF protect no further instruction: the window opens behind them. */
export default defineCases("interrupt/window-popf", openers, (opener) => ({
  spec: [
    "KVM API 5: request_interrupt_window",
    "SDM 3A 6.8.1: masking maskable hardware interrupts",
  ],
  mode: "real",
  guest: asm`
    push 0x202
    push 0
    push after                      ; what IRET takes: IP, CS, FLAGS
    mov sp, ${opener === "popf" ? 0x7ffe : 0x7ffa}
    ${opener}
    after:
    inc bx
    inc bx
    hlt
  `,
  drive({ run, vcpu, assertEquals, labels }) {
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("RIP in the window", vcpu.regs().rip, labels.get("after"));
    vcpu.requestInterruptWindow = false;
  },
  trace: ({ after }) => `
    > request-irq-window 0x1
    irq-window
    > request-irq-window 0x0
    hlt
    = rbx 0x2
    = rflags 0x202
    = mem 0x7ffa u16 [${after} 0x0 0x202]
  `,
}));
