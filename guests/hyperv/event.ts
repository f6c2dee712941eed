import { asm, defineCases } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

const rows = {
  reset: { index: 0x40000003, low: 1, high: 0, event: "reset" },
  crash: { index: 0x40000105, low: 0, high: 0x80000000, event: "crash" },
};

/** A guest that asks for a reset or tells of its crash comes out with a system event. */
export default defineCases("hyperv/event", rows, ({ index, low, high, event }) => ({
  spec: ["TLFS 6.2: guest crash enlightenment; 2.6: reset", "KVM API 5: KVM_EXIT_SYSTEM_EVENT"],
  mode: "long",
  irqchip: "kernel",
  requires,
  registers: { rcx: BigInt(index), rax: BigInt(low), rdx: BigInt(high) },
  ...underHyperv({
    guest: asm`
      wrmsr
      mov al, 0x5a
      out 0xf4, al
    `,
    trace: `
      system-event ${event}
      pio out 0xf4 u8 0x5a
      = rax 0x5a
    `,
  }),
}));
