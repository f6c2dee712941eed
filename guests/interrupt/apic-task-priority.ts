import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

const ways = {
  register: {
    raise: "mov dword [rsi + 0x80], 0x50",
    lower: "mov dword [rsi + 0x80], 0x40",
    clear: "mov dword [rsi + 0x80], 0",
  },
  cr8: {
    raise: "mov eax, 5\nmov cr8, rax",
    lower: "mov eax, 4\nmov cr8, rax",
    clear: "mov eax, 0\nmov cr8, rax",
  },
};

/**
 * The task priority, as the local APIC's register or as CR8, holds back its own class and those
 * below; what it held back is taken, highest first, as it is lowered.
 */
export default defineCases("interrupt/apic-task-priority", ways, (way) => ({
  spec: [
    "SDM 3A 10.8.3.1: task and processor priorities",
    "SDM 3A 10.8.6: task priority in IA-32e mode",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x4f: "v4f", 0x50: "v50", 0x5e: "v5e", 0x60: "v60" },
  guest: asm`
    ${enableApic}
    ${way.raise}
    mov ebx, [rsi + 0x80]           ; TPR
    mov ecx, [rsi + 0xa0]           ; PPR
    mov rdx, cr8
    out 0x10, al                    ; the host sends four
    sti
    out 0x11, al                    ; 0x60 alone is taken
    cli
    mov dword [rsi + 0xb0], 0       ; EOI
    sti
    out 0x12, al                    ; no other
    cli
    ${way.lower}
    sti
    out 0x13, al                    ; 0x5e
    cli
    mov dword [rsi + 0xb0], 0
    sti
    out 0x14, al                    ; 0x50
    cli
    mov dword [rsi + 0xb0], 0
    sti
    out 0x15, al                    ; no other
    cli
    ${way.clear}
    sti
    out 0x16, al                    ; 0x4f
    taken:
    cli
    mov al, 0
    out 0xf4, al
    v4f:
    mov al, 0x4f
    out 0x17, al
    iretq
    v50:
    mov al, 0x50
    out 0x17, al
    iretq
    v5e:
    mov al, 0x5e
    out 0x17, al
    iretq
    v60:
    mov al, 0x60
    out 0x17, al
    iretq
  `,
  drive({ run, vm }) {
    run();
    for (const data of [0x4f, 0x50, 0x5e, 0x60]) {
      vm.irq.signalMsi({ address: 0xfee00000, data });
    }
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 *
    > msi address=0xfee00000 data=0x4f -> 0x1
    > msi address=0xfee00000 data=0x50 -> 0x1
    > msi address=0xfee00000 data=0x5e -> 0x1
    > msi address=0xfee00000 data=0x60 -> 0x1
    pio out 0x11 u8 *
    pio out 0x17 u8 0x60
    pio out 0x12 u8 0x60
    pio out 0x13 u8 *
    pio out 0x17 u8 0x5e
    pio out 0x14 u8 0x5e
    pio out 0x17 u8 0x50
    pio out 0x15 u8 0x50
    pio out 0x16 u8 *
    pio out 0x17 u8 0x4f
    pio out 0xf4 u8 0x0
    = rbx 0x50
    = rcx 0x50
    = rdx 0x5
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
