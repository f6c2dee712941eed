import { asm, defineCases } from "../../mod.ts";
import { machine, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

const rows = {
  // The hypervisor intercepts INTR: its guest is left, and it takes the interrupt after STGI.
  "interrupt-intercepted": { raise: "msi", first: 1, code: 0x60, mine: true },
  "nmi-intercepted": { raise: "nmi", first: 2, code: 0x61, mine: true },
  // It does not: the interrupt is its guest's.
  "interrupt-passed": { raise: "msi", first: 0, code: 0x81, mine: false },
  "nmi-passed": { raise: "nmi", first: 0, code: 0x81, mine: false },
} as const;

/** An interrupt while the hypervisor's guest runs. */
export default defineCases("nested-svm/interrupt", rows, (row) => ({
  spec: ["APM 2 15.13: miscellaneous intercepts (INTR, NMI)", "APM 2 15.17: global interrupt flag"],
  mode: "long",
  irqchip: "kernel",
  requires,
  machine,
  handlers: { 2: "handler", 0x30: "handler" },
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    sti
    ${run}
    mov ebx, ${VMCB}
    mov eax, [rbx + 0x70]
    out 0x10, eax
    stgi
    nop
    nop
    cli
    xor eax, eax
    xor ebx, ebx
    out 0xf4, al
    handler:
    inc edi
    mov al, 0x77
    out 0x12, al
    mov dword [rsi + 0xb0], 0
    iretq
    nested:
    out 0x11, al
    nop
    vmmcall
  `,
  drive: ({ vm, vcpu, run, write, labels }) => {
    write(
      VMCB,
      vmcb({ rip: labels.get("nested")!, rflags: 0x202n, first: row.first, second: 2 }),
    );
    run();
    if (row.raise === "nmi") vcpu.nmi();
    else vm.irq.signalMsi({ address: 0xfee00000n, data: 0x30 });
  },
  trace: `
    pio out 0x11 u8 0x0
    ${row.raise === "nmi" ? "> nmi" : "> msi address=0xfee00000 data=0x30 -> 0x1"}
    ${row.mine ? "" : "pio out 0x12 u8 0x77"}
    pio out 0x10 u32 0x${row.code.toString(16)}
    ${row.mine ? "pio out 0x12 u8 0x77" : ""}
    pio out 0xf4 u8 0x0
    = rdi 0x1
    = rdx 0x0
    = rflags *
    = mem 0x${row.mine ? "7fd8" : "7bd8"} u64 [* 0x28 * * 0x30]
    ${written}
  `,
}));
