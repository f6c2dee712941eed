import { asm, defineCases } from "../../mod.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

const rows = {
  // INTR is intercepted: the hypervisor goes on.
  intercepted: { first: 1, code: 0x60 },
  // It is not: the guest's handler is called, and the guest goes on.
  passed: { first: 0, code: 0x81 },
} as const;

/** A guest that has halted, and the interrupt of the hypervisor's timer. */
export default defineCases("nested-svm/halted", rows, ({ first, code }) => ({
  spec: "APM 2 15.13.1: INTR intercept; APM 3: HLT",
  mode: "long",
  irqchip: "kernel",
  requires,
  machine,
  handlers: { 0x30: "handler" },
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x3e0], 0xb    ; the timer's divisor is 1
    mov dword [rsi + 0x320], 0x30
    sti
    ${run}
    ${report.replace("hlt", "out 0xf4, al")}
    handler:
    inc edi
    mov dword [rsi + 0xb0], 0
    iretq
    nested:
    mov dword [rsi + 0x380], 100000000
    hlt
    behind:
    vmmcall
    out 0xee, al
  `,
  drive: ({ write, labels }) =>
    write(VMCB, vmcb({ rip: labels.get("nested")!, rflags: 0x202n, first, second: 2 })),
  trace: ({ behind }) => `
    ${reported(code, 0n, 0n, behind)}
    pio out 0xf4 u8 0x0
    = rflags *
    ${first ? "" : `= rdi 0x1\n= mem 0x7bd8 u64 [${behind} 0x28 0x202 0x7c00 0x30]`}
    ${written}
  `,
}));
