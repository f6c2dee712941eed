import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { identify } from "./_words.ts";

interface Row {
  /** Input value: code, fast (bit 16), header size, repetitions. */
  input: bigint;
  /** The input parameter, an address or the value itself. */
  parameter?: bigint;
  /** The status. */
  status: bigint;
}

const [SUCCESS, INVALID_CODE, INVALID_INPUT] = [0n, 2n, 3n];
const FAST = 1n << 16n;

const rows: Record<string, Row> = {
  "unknown-code": { input: 0x7fn, status: INVALID_CODE },
  "long-spin-wait": { input: 0x8n | FAST, parameter: 0n, status: SUCCESS },
  "long-spin-wait-repeated": { input: 0x8n | FAST | 1n << 32n, status: INVALID_INPUT },
  "long-spin-wait-with-header": { input: 0x8n | FAST | 1n << 17n, status: INVALID_INPUT },
  // Bits 31 to 27, 47 to 44 and 63 to 60 of the input value are reserved.
  "reserved-27": { input: 0x8n | FAST | 1n << 27n, status: INVALID_INPUT },
  "reserved-44": { input: 0x8n | FAST | 1n << 44n, status: INVALID_INPUT },
  "reserved-63": { input: 0x8n | FAST | 1n << 63n, status: INVALID_INPUT },
  // No synthetic interrupt controller, so no messages.
  "post-message": { input: 0x5cn, parameter: 0xb000n, status: INVALID_INPUT },
  "flush-repeated": { input: 0x2n | 1n << 32n, parameter: 0xb000n, status: INVALID_INPUT },
  "flush-list-without-list": { input: 0x3n, parameter: 0xb000n, status: INVALID_INPUT },
  // All processors, all address spaces.
  "flush-all": { input: 0x2n, parameter: 0xb000n, status: SUCCESS },
};

/** A hypercall in 64-bit mode: input value in RCX, parameter in RDX, status in RAX. */
export default defineCases("hyperv/hypercall", byEachCall(rows), ({ row, call }) => ({
  spec: [
    "TLFS 3: hypercall interface",
    "TLFS 3.12: hypercall status codes",
    "KVM API 8.18: KVM_CAP_HYPERV_TLBFLUSH",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, call.requires],
  registers: { r8: 0xc000n },
  ...underHyperv({
    guest: asm`
      ${identify}
      mov qword [0xb008], 1           ; flags: all address spaces
      mov rcx, ${row.input}
      mov rdx, ${row.parameter ?? 0n}
      ${call.instruction}
      out 0xf4, al
    `,
    trace: `
      pio out 0xf4 u8 0x${row.status.toString(16)}
      = rax 0x${row.status.toString(16)}
      = rcx 0x${row.input.toString(16)}
      = rdx 0x${(row.parameter ?? 0n).toString(16)}
      = mem 0xb008 u64 0x1
    `,
  }),
}));
