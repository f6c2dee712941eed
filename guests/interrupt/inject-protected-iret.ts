import { asm, defineCase } from "../../mod.ts";

/** IRET of 32-bit code takes an interrupted guest on where it was, with its flags, once. */
export default defineCase({
  id: "interrupt/inject-protected-iret",
  spec: ["KVM API 4.16: KVM_INTERRUPT", "SDM 2A: IRET"],
  mode: "protected",
  machine: { rflags: { set: 0xed5n } },
  handlers: { 0x20: "handler" },
  guest: asm`
    out 0x10, al                    ; the host enqueues the interrupt
    resumed:
    inc ecx
    hlt
    handler:
    not ebx
    cld
    iretd
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(0x20);
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > interrupt 0x20
    hlt
    = rflags 0x603
    = rbx 0xffffffff
    = rcx 0x1
    = mem 0x7ff4 u32 [${resumed} 0x8 0xed7]
  `,
});
