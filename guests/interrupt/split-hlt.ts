import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** With a split irqchip HLT stays in the kernel, and an MSI that waits is taken behind it. */
export default defineCase({
  id: "interrupt/split-hlt",
  spec: [
    "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP",
    "KVM API 5: KVM_EXIT_HLT",
    "KVM API 4.70: KVM_SIGNAL_MSI",
  ],
  mode: "long",
  irqchip: "split",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    ${enableApic}
    out 0x10, al                    ; the host sends an MSI
    sti
    hlt
    halted:
    mov ecx, ebx
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address: 0xfee00000, data: 0x51 });
  },
  trace: ({ halted }) => `
    pio out 0x10 u8 0x0
    > msi address=0xfee00000 data=0x51 -> 0x1
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x1
    = rflags 0x202
    = mem 0x7fd8 u64 [${halted} 0x28 0x202 0x8000 0x30]
  `,
});
