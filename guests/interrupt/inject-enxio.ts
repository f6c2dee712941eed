import { asm, defineCase } from "../../mod.ts";

/** With the PIC in the kernel KVM_INTERRUPT is refused, and nothing is delivered. */
export default defineCase({
  id: "interrupt/inject-enxio",
  spec: "KVM API 4.16: KVM_INTERRUPT, ENXIO",
  mode: "real",
  irqchip: "kernel",
  machine: { rflags: { set: 0x200n } },
  handlers: {},
  guest: asm`
    nop
    out 0xf4, al
  `,
  drive({ vcpu, attempt }) {
    attempt(() => vcpu.interrupt(0x20));
  },
  trace: `
    > interrupt 0x20 -> ENXIO
    pio out 0xf4 u8 0x0
  `,
});
