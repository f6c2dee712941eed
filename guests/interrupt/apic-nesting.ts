import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/**
 * While an interrupt is in service one of a higher class interrupts its handler; one of the same
 * class and one of a lower class wait for its EOI, which ends the highest in service.
 */
export default defineCase({
  id: "interrupt/apic-nesting",
  spec: [
    "SDM 3A 10.8.3: interrupt, task, and processor priority",
    "SDM 3A 10.8.5: signaling interrupt servicing completion",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x41: "lower", 0x51: "first", 0x5f: "same", 0x60: "higher" },
  guest: asm`
    ${enableApic}
    out 0x10, al                    ; the host sends 0x51
    sti
    out 0x11, al                    ; taken behind it
    cli
    sti
    out 0x12, al                    ; nothing more before the EOI
    cli
    mov dword [rsi + 0xb0], 0       ; EOI of 0x51
    sti
    out 0x13, al                    ; 0x5f is taken behind it
    cli
    mov dword [rsi + 0xb0], 0       ; EOI of 0x5f
    sti
    out 0x14, al                    ; 0x41 is taken behind it
    last:
    cli
    mov dword [rsi + 0xb0], 0
    sti
    out 0x15, al                    ; nothing is left
    cli
    out 0xf4, al
    first:
    out 0x51, al                    ; the host sends 0x41, 0x5f and 0x60
    sti
    out 0x16, al                    ; 0x60 is taken behind it
    inner:
    cli
    mov dword [rsi + 0xb0], 0       ; EOI of 0x60
    mov ecx, [rsi + 0x120]          ; ISR: 0x51 is left
    iretq
    higher:
    out 0x60, al
    mov ebx, [rsi + 0x130]          ; ISR: 0x60
    iretq
    same:
    out 0x5f, al
    iretq
    lower:
    out 0x41, al
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address: 0xfee00000, data: 0x51 });
    run();
    run();
    for (const data of [0x41, 0x5f, 0x60]) vm.irq.signalMsi({ address: 0xfee00000, data });
  },
  trace: ({ last, inner }) => `
    pio out 0x10 u8 0x0
    > msi address=0xfee00000 data=0x51 -> 0x1
    pio out 0x11 u8 0x0
    pio out 0x51 u8 0x0
    > msi address=0xfee00000 data=0x41 -> 0x1
    > msi address=0xfee00000 data=0x5f -> 0x1
    > msi address=0xfee00000 data=0x60 -> 0x1
    pio out 0x16 u8 0x0
    pio out 0x60 u8 0x0
    pio out 0x12 u8 0x0
    pio out 0x13 u8 0x0
    pio out 0x5f u8 0x0
    pio out 0x14 u8 0x0
    pio out 0x41 u8 0x0
    pio out 0x15 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rcx 0x20000
    = mem 0x7fd8 u64 [${last} 0x28 0x202 0x8000 0x30]
    = mem 0x7fa8 u64 [${inner} 0x28 0x202 0x7fd8 0x30]
  `,
});
