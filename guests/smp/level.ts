import { asm, defineCases } from "../../mod.ts";
import { redirect } from "../interrupt/_apic.ts";

interface Row {
  /** Bits 8 and up of the pin's entry. */
  low: number;
  destination: number;
  /** LDR of vCPU 1, and DFR of both. */
  logical: number;
  format?: number;
  /** vCPU 1 takes the pin over from vCPU 0, where it was. */
  moved?: true;
}

const PHYSICAL = 0x8051, LOGICAL = 0x8851, LOWEST = 0x8951;

const rows: Record<string, Row> = {
  physical: { low: PHYSICAL, destination: 1, logical: 0x02 },
  "physical-moved": { low: PHYSICAL, destination: 1, logical: 0x02, moved: true },
  flat: { low: LOGICAL, destination: 0x02, logical: 0x02 },
  "flat-moved": { low: LOGICAL, destination: 0x02, logical: 0x02, moved: true },
  cluster: { low: LOGICAL, destination: 0x22, logical: 0x22, format: 0x0fffffff },
  lowest: { low: LOWEST, destination: 0x02, logical: 0x02 },
  // Neither has a logical id of its own alone.
  "shared-id": { low: PHYSICAL, destination: 1, logical: 0x01 },
};

/** The EOI of the vCPU that took a level-triggered pin's interrupt clears Remote IRR. */
export default defineCases("smp/level", rows, (row) => ({
  spec: [
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR",
    "SDM 3A 10.8.5: signaling interrupt servicing completion",
  ],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  registers: { rsi: 0xfee00000n, rdi: 0xfec00000n },
  handlers: { 0x51: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xe0], ${row.format ?? 0xffffffff}
    mov dword [rsi + 0xd0], ${row.format === undefined ? 0x01000000 : 0x11000000}
    ${row.moved ? redirect(18, PHYSICAL, 0) : ""}
    out 0x10, al                    ; both are ready
    ${redirect(18, row.low, row.destination)}
    out 0x12, al
    mov ebx, [rdi + 0x10]           ; Remote IRR
    out 0x13, al
    mov ecx, [rdi + 0x10]
    mov edx, [rsi + 0x220]          ; IRR: not here
    out 0x14, al
    vcpu1:
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xe0], ${row.format ?? 0xffffffff}
    mov dword [rsi + 0xd0], ${row.logical << 24}
    out 0x11, al
    push qword 0x202
    popfq                           ; no shadow
    waiting:
    jmp waiting
    handler:
    mov ebx, [rsi + 0x120]          ; ISR of vectors 0x40 to 0x5f
    mov edx, [rsi + 0x1a0]          ; TMR
    out 0x15, al
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0x16, al
  `,
  drive: async ({ runOn, vm }) => {
    await runOn(1);
    await runOn(0);
    await runOn(0);
    const taken = runOn(1);
    vm.irq.setLine(18, 1);
    await taken;
    await runOn(0);
    vm.irq.setLine(18, 0);
    await runOn(1);
    await runOn(0);
  },
  trace: ({ waiting }) => `
    1: pio out 0x11 u8 0x0
    0: pio out 0x10 u8 0x0
    0: pio out 0x12 u8 0x0
    > irq-line 0x12 0x1
    1: pio out 0x15 u8 0x0
    0: pio out 0x13 u8 0x0
    > irq-line 0x12 0x0
    1: pio out 0x16 u8 0x0
    0: pio out 0x14 u8 0x0
    0: = rbx 0x${(row.low | 0x4000).toString(16)}
    0: = rcx 0x${row.low.toString(16)}
    1: = rbx 0x20000
    1: = rdx 0x20000
    1: = rsp 0x7bd8
    1: = rflags 0x2
    = mem 0x7bd8 u64 [${waiting} 0x28 0x202 0x7c00 0x30]
  `,
}));
