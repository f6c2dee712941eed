import { asm, defineCase } from "../../mod.ts";

/** The one-shot timer of a local APIC goes on from the current count that KVM_SET_LAPIC was given. */
export default defineCase({
  id: "state/lapic-timer",
  spec: ["KVM API 4.58: KVM_SET_LAPIC", "SDM 3A 11.5.4: APIC timer"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    sti
    hlt
    halted:
    cli
    mov ecx, [rsi + 0x380]          ; initial count
    mov edx, [rsi + 0x390]          ; current count
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  drive({ vcpu, assertEquals }) {
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0xf0, 0x1ff, true);
    view.setUint32(0x3e0, 0xb, true); // divide by 1
    view.setUint32(0x320, 0x71, true); // one-shot
    view.setUint32(0x380, 0x70000000, true); // some two seconds,
    view.setUint32(0x390, 0x40000, true); // of which a quarter of a millisecond is left
    vcpu.setLapic(page);
    const now = new DataView(vcpu.lapic().buffer);
    assertEquals("no more than is left", now.getUint32(0x390, true) <= 0x40000, true);
  },
  trace: ({ halted }) => `
    > set-lapic
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x70000000
    = rdx 0x0
    = mem 0x7fd8 u64 [${halted} 0x28 0x202 0x8000 0x30]
  `,
});
