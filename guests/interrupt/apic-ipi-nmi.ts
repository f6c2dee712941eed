import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** An IPI of delivery mode NMI is an NMI, whatever IF is. */
export default defineCase({
  id: "interrupt/apic-ipi-nmi",
  spec: ["SDM 3A 10.6.1: interrupt command register, delivery mode NMI"],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rcx: 1200n },
  handlers: { 2: "nmi" },
  guest: asm`
    ${enableApic}
    mov dword [rsi + 0x310], 0
    mov dword [rsi + 0x300], 0x4400 ; NMI to local APIC 0
    again:
    loop again
    mov al, bl
    out 0xf4, al
    nmi:
    inc ebx
    iretq
  `,
  trace: `
    pio out 0xf4 u8 0x1
    = rax 0x1
    = rbx 0x1
    = rcx 0x0
    = mem 0x7fd8 u64 [* 0x28 0x2 0x8000 0x30]
  `,
});
