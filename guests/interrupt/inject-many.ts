import { asm, defineCase } from "../../mod.ts";

/** Interrupts enqueued one at a time are each delivered once, in order, from where the guest is. */
export default defineCase({
  id: "interrupt/inject-many",
  spec: ["KVM API 4.16: KVM_INTERRUPT", "KVM API 5: ready_for_interrupt_injection"],
  mode: "long",
  machine: { rflags: { set: 0x200n } },
  registers: { rcx: 4n },
  handlers: { 0x20: "first", 0x21: "second", 0xfe: "third" },
  guest: asm`
    again:
    out 0x10, al
    resumed:
    dec ecx
    jnz again
    hlt
    first:
    shl ebx, 4
    or bl, 1
    iretq
    second:
    shl ebx, 4
    or bl, 2
    iretq
    third:
    shl ebx, 4
    or bl, 3
    iretq
  `,
  drive({ run, vcpu, assertEquals }) {
    for (const vector of [0x21, 0xfe, 0x20, 0x21]) {
      run();
      assertEquals("ready_for_interrupt_injection", vcpu.readyForInterruptInjection, true);
      assertEquals("if_flag", vcpu.ifFlag, true);
      vcpu.interrupt(vector);
    }
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > interrupt 0x21
    pio out 0x10 u8 0x0
    > interrupt 0xfe
    pio out 0x10 u8 0x0
    > interrupt 0x20
    pio out 0x10 u8 0x0
    > interrupt 0x21
    hlt
    = rbx 0x2312
    = rcx 0x0
    = rflags 0x246
    = mem 0x7fd8 u64 [${resumed} 0x28 * 0x8000 0x30]
  `,
});
