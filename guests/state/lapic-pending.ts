import { asm, defineCase } from "../../mod.ts";

/** A guest takes the interrupt that stands in the IRR of the page that KVM_SET_LAPIC was given. */
export default defineCase({
  id: "state/lapic-pending",
  spec: ["KVM API 4.58: KVM_SET_LAPIC", "SDM 3A 11.8.4: IRR and ISR"],
  mode: "long",
  irqchip: "kernel",
  handlers: { 0x51: "handler" },
  guest: asm`
    sti
    hlt
    halted:
    cli
    out 0xf4, al
    handler:
    mov bl, 0x51
    iretq
  `,
  drive({ vcpu }) {
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0xf0, 0x1ff, true);
    view.setUint32(0x220, 1 << (0x51 - 0x40), true); // IRR of vectors 0x40 to 0x5f
    vcpu.setLapic(page);
  },
  trace: ({ halted }) => `
    > set-lapic
    pio out 0xf4 u8 0x0
    = rbx 0x51
    = mem 0x7fd8 u64 [${halted} 0x28 0x202 0x8000 0x30]
  `,
});
