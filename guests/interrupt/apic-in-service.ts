import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

const vectors = { "0x10": 0x10, "0x51": 0x51, "0x9f": 0x9f, "0xfe": 0xfe };

/**
 * An interrupt of the local APIC moves from the IRR to the ISR when it is taken, raises the
 * processor priority to its class, and leaves the ISR with the EOI.
 */
export default defineCases("interrupt/apic-in-service", vectors, (vector) => {
  const word = (vector >> 5) * 0x10;
  const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;
  return {
    spec: [
      "SDM 3A 10.8.4: interrupt acceptance for fixed interrupts",
      "SDM 3A 10.8.3.1: task and processor priorities",
      "SDM 3A 10.8.5: signaling interrupt servicing completion",
    ],
    mode: "long",
    irqchip: "kernel",
    registers: { ...apicRegisters, r8: 0x99n, r9: 0x99n, r10: 0x99n, r11: 0x99n },
    handlers: { [vector]: "handler" },
    guest: asm`
      ${enableApic}
      out 0x10, al                    ; the host sends the MSI
      mov ebx, [rsi + ${0x200 + word}]; the vector's 32 bits of the IRR
      mov r8d, [rsi + ${0x100 + word}]; and of the ISR
      sti
      out 0x11, al                    ; taken behind it
      taken:
      cli
      mov dword [rsi + 0xb0], 0       ; EOI
      mov r11d, [rsi + ${0x100 + word}]
      out 0xf4, al
      handler:
      mov r9d, [rsi + ${0x200 + word}]
      mov ecx, [rsi + ${0x100 + word}]
      mov edx, [rsi + 0xa0]           ; PPR
      mov r10d, [rsi + 0x80]          ; TPR
      iretq
    `,
    drive({ run, vm }) {
      run();
      vm.irq.signalMsi({ address: 0xfee00000, data: vector });
    },
    trace: ({ taken }) => `
      pio out 0x10 u8 0x0
      > msi address=0xfee00000 data=${hex(vector)} -> 0x1
      pio out 0x11 u8 0x0
      pio out 0xf4 u8 0x0
      = rbx ${hex(1 << (vector & 31))}
      = r8 0x0
      = r9 0x0
      = rcx ${hex(1 << (vector & 31))}
      = rdx ${hex(vector & 0xf0)}
      = r10 0x0
      = r11 0x0
      = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
    `,
  };
});
