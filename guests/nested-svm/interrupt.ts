import { asm, defineCases } from "../../mod.ts";
import { machine, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

interface Row {
  raise: "msi" | "nmi";
  /** The intercept vector. */
  first: number;
  code: number;
  /** Who takes it: the hypervisor behind STGI, or the guest in its handler. */
  mine: boolean;
  /** V_INTR_MASKING, and the flags of hypervisor and guest. */
  masking?: true;
  closed?: true;
  rflags?: bigint;
}

const rows: Record<string, Row> = {
  // The hypervisor intercepts INTR: its guest is left, and it takes the interrupt after STGI.
  "interrupt-intercepted": { raise: "msi", first: 1, code: 0x60, mine: true },
  "nmi-intercepted": { raise: "nmi", first: 2, code: 0x61, mine: true },
  // It does not: the interrupt is its guest's.
  "interrupt-passed": { raise: "msi", first: 0, code: 0x81, mine: false },
  "nmi-passed": { raise: "nmi", first: 0, code: 0x81, mine: false },
  // The guest's IF counts, and it is clear.
  "interrupt-masked-by-guest": { raise: "msi", first: 1, code: 0x81, mine: true, rflags: 2n },
  // With V_INTR_MASKING the hypervisor's IF counts, whatever the guest's is.
  "masking-intercepted": { raise: "msi", first: 1, code: 0x60, mine: true, masking: true },
  "masking-guest-closed": {
    raise: "msi",
    first: 1,
    code: 0x60,
    mine: true,
    masking: true,
    rflags: 2n,
  },
  "masking-hypervisor-closed": {
    raise: "msi",
    first: 1,
    code: 0x81,
    mine: true,
    masking: true,
    closed: true,
  },
};

/** An interrupt while the hypervisor's guest runs. */
export default defineCases("nested-svm/interrupt", rows, (row) => ({
  spec: [
    "APM 2 15.13: miscellaneous intercepts (INTR, NMI)",
    "APM 2 15.17: global interrupt flag",
    "APM 2 15.21.1: VINTR_MASKING",
  ],
  mode: "long",
  irqchip: "kernel",
  requires,
  machine,
  handlers: { 2: "handler", 0x30: "handler" },
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    ${row.closed ? "cli" : "sti"}
    ${run}
    mov ebx, ${VMCB}
    mov eax, [rbx + 0x70]
    out 0x10, eax
    stgi
    ${row.closed ? "sti" : "nop"}
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
      vmcb({
        rip: labels.get("nested")!,
        rflags: row.rflags ?? 0x202n,
        first: row.first,
        second: 2,
        other: { 0x60: row.masking ? 1n << 24n : 0n },
      }),
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
