import { asm, defineCase } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

/** A masked LINT0 holds an enqueued interrupt back; unmasked as ExtINT it lets it through, once. */
export default defineCase({
  id: "interrupt/split-extint-masked",
  spec: [
    "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP",
    "KVM API 4.16: KVM_INTERRUPT",
    "SDM 3A 10.5.1: local vector table, LINT0",
  ],
  mode: "long",
  irqchip: "split",
  registers: apicRegisters,
  handlers: { 0x20: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff   ; enabled, so that the LVT can be unmasked
    mov dword [rsi + 0x350], 0x10700; LINT0: ExtINT, masked
    sti
    out 0x10, al                    ; the host enqueues the interrupt
    nop
    out 0x11, al                    ; not taken
    cli
    mov dword [rsi + 0x350], 0x700  ; LINT0: ExtINT
    sti
    out 0x12, al                    ; taken behind it
    taken:
    cli
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  drive({ run, vcpu, assertEquals }) {
    run();
    assertEquals("ready while masked", vcpu.readyForInterruptInjection, false);
    vcpu.interrupt(0x20);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > interrupt 0x20
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
