import { asm, defineCase } from "../../mod.ts";

/** With LINT0 in NMI mode each tick of the PIT is an NMI too, which no IF holds back. */
export default defineCase({
  id: "timer/pit-watchdog",
  spec: ["SDM 3A 10.5.1: local vector table (delivery mode NMI)", "SDM 2A: HLT"],
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  handlers: { 2: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x350], 0x400
    mov al, 0x34
    out 0x43, al
    xor eax, eax
    out 0x40, al
    mov al, 0x10
    out 0x40, al
    hlt
    mov dword [rsi + 0x350], 0x10000
    xor eax, eax
    out 0xf4, al
    handler:
    mov bl, 1
    iretq
  `,
  drive: ({ vm }) => vm.irq.createPit(),
  trace: `
    > pit
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rflags 0x46
    = mem 0x7fd8 u64 [* 0x28 0x46 0x8000 0x30]
  `,
});
