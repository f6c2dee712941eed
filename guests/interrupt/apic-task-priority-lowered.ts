import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

/** CR8 before and behind, while an interrupt of class 5 waits. */
const rows = {
  "from-its-class": { from: 5, to: 4, taken: true },
  "from-above": { from: 9, to: 4, taken: true },
  "to-its-class": { from: 9, to: 5, taken: false },
} as const;

/** MOV to CR8 that lets go an interrupt which it held back: that is taken before another instruction. */
export default defineCases("interrupt/apic-task-priority-lowered", rows, ({ from, to, taken }) => ({
  spec: [
    "SDM 3A 10.8.3.1: task and processor priorities",
    "SDM 3A 10.8.6: task priority in IA-32e mode",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x50: "handler" },
  guest: asm`
    ${enableApic}
    mov eax, ${from}
    mov cr8, rax
    mov eax, ${to}
    xor ebx, ebx
    sti
    out 0x10, al
    nop
    nop
    mov cr8, rax
    behind:
    cli
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address: 0xfee00000, data: 0x50 });
  },
  trace: ({ behind }) => `
    pio out 0x10 u8 0x${to}
    > msi address=0xfee00000 data=0x50 -> 0x1
    pio out 0xf4 u8 0x${to}
    = rax 0x${to}
    = rbx 0x${taken ? 1 : 0}
    = rflags *
    = cr8 0x${to}
    ${taken ? `= mem 0x7fd8 u64 [${behind} 0x28 * 0x8000 0x30]` : ""}
  `,
}));
