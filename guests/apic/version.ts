import { asm, defineCases } from "../../mod.ts";

interface Row {
  irqchip: "kernel" | "split";
  /** IA32_MCG_CAP: bit 10 says that there are corrected machine check interrupts. */
  capabilities?: bigint;
  /** The highest entry of the local vector table. */
  highest: number;
  /** There is an entry for those: what is read of it, once it was set to 0x10051 too. */
  corrected?: readonly [number, number];
}

const rows: Record<string, Row> = {
  "kernel": { irqchip: "kernel", highest: 5 },
  "machine-check": {
    irqchip: "kernel",
    capabilities: 0x01000002n,
    highest: 5,
  },
  "corrected-machine-check": {
    irqchip: "kernel",
    capabilities: 0x01000402n,
    highest: 6,
    corrected: [0x10000, 0x10051],
  },
};

/**
 * The version register tells how many entries the local vector table has, among which is that of
 * corrected machine checks where IA32_MCG_CAP has them.
 */
export default defineCases("apic/version", rows, (row) => ({
  spec: [
    "SDM 3A 10.4.8: local APIC version register",
    "SDM 3B 15.5.1: CMCI local APIC interface (IA32_MCG_CAP.MCG_CMCI_P)",
  ],
  mode: "long",
  irqchip: row.irqchip,
  requires: row.capabilities === undefined ? [] : row.corrected === undefined
    ? ["KVM_CAP_MCE"]
    // AMD's processors do not have these interrupts.
    : ["KVM_CAP_MCE", { backend: ["vmx"] }],
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov eax, [rsi + 0x30]
    mov ebx, eax
    shr ebx, 24
    movzx ecx, al
    shr ecx, 4                      ; 0x1X: integrated
    shr eax, 16
    movzx eax, al
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x30], 0       ; read-only
    ${
    row.corrected === undefined ? "" : `
      mov edx, [rsi + 0x2f0]
      mov dword [rsi + 0x2f0], 0x10051
      mov ebp, [rsi + 0x2f0]
    `
  }
    mov edi, [rsi + 0x30]
    shr edi, 16
    and edi, 0xff
    cmp edi, edi
    out 0xf4, al
  `,
  drive({ vcpu }) {
    if (row.capabilities !== undefined) vcpu.setupMce(row.capabilities);
  },
  trace: `
    ${row.capabilities === undefined ? "" : `> setup-mce 0x${row.capabilities.toString(16)}`}
    pio out 0xf4 u8 0x${row.highest}
    = rax 0x${row.highest}
    = rcx 0x1
    = rdi 0x${row.highest}
    ${
    (row.corrected ?? []).map((value, at) =>
      `= ${at === 0 ? "rdx" : "rbp"} 0x${value.toString(16)}`
    ).join("\n")
  }
    = rflags 0x46
  `,
}));
