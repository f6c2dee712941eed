import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** An MSI of delivery mode NMI is an NMI: vector 2, whatever IF is and whatever its vector says. */
export default defineCase({
  id: "interrupt/msi-nmi",
  spec: [
    "KVM API 4.70: KVM_SIGNAL_MSI",
    "SDM 3A 10.11.2: message data register, delivery mode NMI",
  ],
  requires: ["KVM_CAP_SIGNAL_MSI"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 2: "nmi" },
  guest: asm`
    ${enableApic}
    out 0x10, al                    ; the host sends the MSI
    resumed:
    mov ecx, ebx
    out 0xf4, al
    nmi:
    inc ebx
    mov edx, [rsi + 0x120]          ; ISR of vectors 0x40 to 0x5f: an NMI is not in it
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address: 0xfee00000, data: 0x451 });
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > msi address=0xfee00000 data=0x451 -> 0x1
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x1
    = mem 0x7fd8 u64 [${resumed} 0x28 0x2 0x8000 0x30]
  `,
});
