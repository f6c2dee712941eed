import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** Of the interrupts that wait in the local APIC the highest vector is taken first. */
export default defineCase({
  id: "interrupt/apic-priority",
  spec: ["SDM 3A 10.8.3: interrupt, task, and processor priority"],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rcx: 5n },
  handlers: { 0x30: "v30", 0x3f: "v3f", 0x40: "v40", 0xfe: "vfe" },
  guest: asm`
    ${enableApic}
    out 0x10, al                    ; the host sends four
    again:
    sti
    out 0x11, al                    ; protected by STI: what waits is taken behind it
    taken:
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    loop again
    out 0xf4, al
    v30:
    out 0x30, al
    iretq
    v3f:
    out 0x3f, al
    iretq
    v40:
    out 0x40, al
    iretq
    vfe:
    out 0xfe, al
    iretq
  `,
  drive({ run, vm }) {
    run();
    for (const data of [0x3f, 0xfe, 0x30, 0x40]) {
      vm.irq.signalMsi({ address: 0xfee00000, data });
    }
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > msi address=0xfee00000 data=0x3f -> 0x1
    > msi address=0xfee00000 data=0xfe -> 0x1
    > msi address=0xfee00000 data=0x30 -> 0x1
    > msi address=0xfee00000 data=0x40 -> 0x1
    pio out 0x11 u8 0x0
    pio out 0xfe u8 0x0
    pio out 0x11 u8 0x0
    pio out 0x40 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0x3f u8 0x0
    pio out 0x11 u8 0x0
    pio out 0x30 u8 0x0
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x0
    = rcx 0x0
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
