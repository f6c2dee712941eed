import { asm, defineCase } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

/**
 * With a split irqchip the EOI of a vector that a reserved GSI routes as level-triggered leaves the
 * guest, so that the host's IOAPIC learns of it; the EOI of an edge-triggered one does not.
 */
export default defineCase({
  id: "interrupt/split-ioapic-eoi",
  spec: ["KVM API 5: KVM_EXIT_IOAPIC_EOI", "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP"],
  mode: "long",
  irqchip: "split",
  registers: apicRegisters,
  handlers: { 0x51: "edge", 0x62: "level" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    out 0x10, al                    ; the host sends the edge-triggered one
    sti
    out 0x11, al
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0x10, al                    ; the host sends the level-triggered one
    sti
    out 0x11, al
    taken:
    cli
    out 0x12, al                    ; not before the EOI
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0xf4, al
    edge:
    out 0x51, al
    iretq
    level:
    out 0x62, al
    iretq
  `,
  drive({ run, vm }) {
    vm.irq.setRouting([
      { gsi: 4, msi: { address: 0xfee00000, data: 0x51 } },
      { gsi: 5, msi: { address: 0xfee00000, data: 0xc062 } },
    ]);
    run();
    vm.irq.setLine(4, 1);
    run();
    run();
    run();
    vm.irq.setLine(5, 1);
  },
  trace: ({ taken }) => `
    > routing entries=0x2
    pio out 0x10 u8 0x0
    > irq-line 0x4 0x1
    pio out 0x11 u8 0x0
    pio out 0x51 u8 0x0
    pio out 0x10 u8 0x0
    > irq-line 0x5 0x1
    pio out 0x11 u8 0x0
    pio out 0x62 u8 0x0
    pio out 0x12 u8 0x0
    ioapic-eoi 0x62
    pio out 0xf4 u8 0x0
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
