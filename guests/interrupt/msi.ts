import { asm, defineCases } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

// Address bits: destination (12 and up), redirection hint (3), logical (2). Data bits: vector,
// delivery mode (8), assert (14), level-triggered (15).
const messages = {
  fixed: { address: 0xfee00000, data: 0x51, vector: 0x51 },
  "vector-16": { address: 0xfee00000, data: 0x10, vector: 0x10 },
  "vector-255": { address: 0xfee00000, data: 0xff, vector: 0xff },
  "lowest-priority": { address: 0xfee00008, data: 0x151, vector: 0x51 },
  "level": { address: 0xfee00000, data: 0xc051, vector: 0x51 },
  "logical": { address: 0xfee40004, data: 0x51, vector: 0x51 },
  "broadcast": { address: 0xfeeff000, data: 0x51, vector: 0x51 },
};

/**
 * An MSI from the host is accepted by the local APIC that its address names and taken through the
 * vector that its data names, once.
 */
export default defineCases("interrupt/msi", messages, ({ address, data, vector }) => ({
  spec: ["KVM API 4.70: KVM_SIGNAL_MSI", "SDM 3A 10.11: message signalled interrupts"],
  requires: ["KVM_CAP_SIGNAL_MSI"],
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rdx: 0x99n },
  handlers: { [vector]: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1f0   ; SVR: enabled; 0xff is not the spurious vector here
    mov dword [rsi + 0xd0], 0x42000000; LDR: logical destinations 0x40 and 0x02
    out 0x10, al                    ; the host sends the MSI
    mov ecx, [rsi + ${0x200 + (vector >> 5) * 0x10}]; the vector's 32 bits of the IRR
    sti
    out 0x11, al                    ; taken behind it
    taken:
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    sti
    out 0x12, al                    ; nothing is left
    cli
    out 0xf4, al
    handler:
    mov edx, [rsi + ${0x200 + (vector >> 5) * 0x10}]; no longer in the IRR
    out 0x13, al
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address, data });
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > msi address=0x${address.toString(16)} data=0x${data.toString(16)} -> 0x1
    pio out 0x11 u8 0x0
    pio out 0x13 u8 0x0
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rcx 0x${(1 << (vector & 31) >>> 0).toString(16)}
    = rdx 0x0
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
