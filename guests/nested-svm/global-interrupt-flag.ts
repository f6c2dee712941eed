import { asm, defineCases } from "../../mod.ts";
import { machine, requires } from "./_vmcb.ts";

const rows = {
  interrupt: { raise: "msi", vector: 0x30, action: "> msi address=0xfee00000 data=0x30 -> 0x1" },
  nmi: { raise: "nmi", vector: 2, action: "> nmi" },
} as const;

/** Between CLGI and STGI neither an interrupt nor an NMI is taken; both wait. */
export default defineCases("nested-svm/global-interrupt-flag", rows, (row) => ({
  spec: "APM 2 15.17: global interrupt flag, STGI and CLGI instructions",
  mode: "long",
  irqchip: "kernel",
  requires,
  machine,
  handlers: { [row.vector]: "handler" },
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    sti
    clgi
    out 0x10, al
    nop
    out 0x11, al
    stgi
    nop
    nop
    cli
    out 0xf4, al
    handler:
    inc ebx
    out 0x12, al
    mov dword [rsi + 0xb0], 0
    iretq
  `,
  drive: ({ vm, vcpu, run }) => {
    run();
    if (row.raise === "nmi") vcpu.nmi();
    else vm.irq.signalMsi({ address: 0xfee00000n, data: row.vector });
  },
  trace: `
    pio out 0x10 u8 0x0
    ${row.action}
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = rflags *
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
}));
