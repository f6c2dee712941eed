import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

interface Row {
  /** Bitmap of APIC ids, lower and upper half, from the id `first` on. */
  low: bigint;
  high: bigint;
  first: bigint;
  icr: bigint;
  /** How many it was delivered to, and IRR of vectors 0x40 to 0x5f. */
  answer: bigint;
  request: string;
}

const rows: Record<string, Row> = {
  self: { low: 1n, high: 0n, first: 0n, icr: 0x51n, answer: 1n, request: "0x20000" },
  "self-and-absent": {
    low: 0xffn,
    high: 0n,
    first: 0n,
    icr: 0x51n,
    answer: 1n,
    request: "0x20000",
  },
  none: { low: 0n, high: 0n, first: 0n, icr: 0x51n, answer: 0n, request: "0x0" },
  absent: { low: 2n, high: 0n, first: 0n, icr: 0x51n, answer: 0n, request: "0x0" },
  // The upper half begins 64 ids above the lower.
  "upper-half": { low: 0n, high: 1n, first: 0n, icr: 0x51n, answer: 0n, request: "0x0" },
  beyond: { low: 1n, high: 1n, first: 0x1000n, icr: 0x51n, answer: 0n, request: "0x0" },
};

/** KVM_HC_SEND_IPI sends to the APICs of a bitmap and answers how many there were. */
export default defineCases("paravirt/send-ipi", byEachCall(rows), ({ row, call }) => ({
  spec: "KVM x86 hypercalls: KVM_HC_SEND_IPI",
  mode: "long",
  irqchip: "kernel",
  requires: [call.requires, { cpuid: "KVM-PV-SEND-IPI" }],
  registers: { rdi: 0xfee00000n, rbx: row.low, rcx: row.high, rdx: row.first, rsi: row.icr },
  guest: asm`
    mov dword [rdi + 0xf0], 0x1ff
    mov eax, 10
    ${call.instruction}
    mov ebp, [rdi + 0x220]
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x${row.answer.toString(16)}
    = rax 0x${row.answer.toString(16)}
    = rbp ${row.request}
  `,
}));
