import { asm, defineCase } from "../../mod.ts";

/**
 * With MSR_KVM_PV_EOI_EN a bit in memory tells the handler that it may clear it in place of an EOI,
 * after which the interrupt is no longer in service and the next one comes. KVM may also leave it.
 */
export default defineCase({
  id: "paravirt/end-of-interrupt",
  spec: "KVM x86 MSRs: MSR_KVM_PV_EOI_EN",
  mode: "long",
  irqchip: "kernel",
  requires: [{ cpuid: "KVM-PV-EOI" }, "KVM_CAP_SIGNAL_MSI"],
  registers: { rsi: 0xfee00000n },
  handlers: { 0x51: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov ecx, 0x4b564d04
    mov eax, 0xa001
    xor edx, edx
    wrmsr
    sti
    out 0x10, al
    nop
    mov edi, [rsi + 0x120]          ; ISR of vectors 0x40 to 0x5f
    out 0x11, al
    nop
    cli
    mov ebp, [rsi + 0x120]
    xor eax, eax
    xor ecx, ecx
    out 0xf4, al
    handler:
    inc ebx
    btr dword [0xa000], 0
    jc leave
    mov dword [rsi + 0xb0], 0       ; not set: an ordinary EOI
    leave:
    out 0x12, al
    iretq
  `,
  drive: ({ run, vm }) => {
    run();
    vm.irq.signalMsi({ address: 0xfee00000n, data: 0x51 });
    run();
    run();
    vm.irq.signalMsi({ address: 0xfee00000n, data: 0x51 });
  },
  trace: `
    pio out 0x10 u8 0x1
    > msi address=0xfee00000 data=0x51 -> 0x1
    pio out 0x12 u8 0x1
    pio out 0x11 u8 0x1
    > msi address=0xfee00000 data=0x51 -> 0x1
    pio out 0x12 u8 0x1
    pio out 0xf4 u8 0x0
    = rbx 0x2
    = rdi 0x0
    = rbp 0x0
    = rflags 0x46
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
});
