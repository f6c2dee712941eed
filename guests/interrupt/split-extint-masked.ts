import { asm, defineCase } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

/** The interrupt window stays shut while LINT0 is masked, though IF is set, and opens when it is not. */
export default defineCase({
  id: "interrupt/split-extint-masked",
  spec: [
    "KVM API 5: request_interrupt_window, ready_for_interrupt_injection",
    "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP",
    "SDM 3A 10.5.1: local vector table, LINT0",
  ],
  mode: "long",
  irqchip: "split",
  withoutLens: {
    restore:
      "KVM does not tell of a vector that KVM_INTERRUPT left with a split interrupt controller",
  },
  registers: apicRegisters,
  handlers: { 0x20: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff   ; enabled, so that the LVT can be unmasked
    mov dword [rsi + 0x350], 0x10700; LINT0: ExtINT, masked
    sti
    mov ecx, 1200
    masked:
    loop masked
    out 0x10, al
    mov dword [rsi + 0x350], 0x700  ; LINT0: ExtINT
    mov ecx, 1200
    unmasked:
    loop unmasked
    out 0x11, al
    cli
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  drive({ run, vcpu, assertEquals }) {
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("ready while masked", vcpu.readyForInterruptInjection, false);
    run();
    assertEquals("ready in the window", vcpu.readyForInterruptInjection, true);
    vcpu.requestInterruptWindow = false;
    vcpu.interrupt(0x20);
  },
  trace: `
    > request-irq-window 0x1
    pio out 0x10 u8 0x0
    irq-window
    > request-irq-window 0x0
    > interrupt 0x20
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x0
    = mem 0x7fd8 u64 [* 0x28 0x202 0x8000 0x30]
  `,
});
