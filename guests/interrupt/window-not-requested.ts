import { asm, defineCase } from "../../mod.ts";

/** Without a request no window is reported, however often IF is set; the flags tell all the same. */
export default defineCase({
  id: "interrupt/window-not-requested",
  spec: "KVM API 5: request_interrupt_window, ready_for_interrupt_injection, if_flag",
  mode: "real",
  guest: asm`
    sti
    nop
    out 0x10, al
    cli
    nop
    out 0x11, al
    sti
    nop
    hlt
  `,
  drive({ run, vcpu, assertEquals }) {
    run();
    assertEquals("ready after STI", vcpu.readyForInterruptInjection, true);
    assertEquals("if_flag after STI", vcpu.ifFlag, true);
    run();
    assertEquals("ready after CLI", vcpu.readyForInterruptInjection, false);
    assertEquals("if_flag after CLI", vcpu.ifFlag, false);
    run();
    assertEquals("ready at HLT", vcpu.readyForInterruptInjection, true);
  },
  trace: `
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x0
    hlt
    = rflags 0x202
  `,
});
