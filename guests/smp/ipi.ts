import { asm, defineCases } from "../../mod.ts";

interface Row {
  /** LDR of vCPU 1 and DFR of both. */
  logical?: number;
  format?: number;
  /** DFR of vCPU 1, where it has another. */
  otherFormat?: number;
  high: number;
  low: number;
  /** vCPU 0 gets it as well, or alone. */
  self?: true;
  other: boolean;
}

const [FIXED, LOWEST, LOGICAL] = [0x4051, 0x4151, 0x4851];

const rows: Record<string, Row> = {
  physical: { high: 0x01000000, low: FIXED, other: true },
  "physical-self": { high: 0x00000000, low: FIXED, self: true, other: false },
  "physical-broadcast": { high: 0xff000000, low: FIXED, self: true, other: true },
  "shorthand-others": { high: 0, low: FIXED | 0xc0000, other: true },
  "shorthand-all": { high: 0, low: FIXED | 0x80000, self: true, other: true },
  "shorthand-self": { high: 0x01000000, low: FIXED | 0x40000, self: true, other: false },
  "logical-flat": { logical: 0x02000000, high: 0x02000000, low: LOGICAL, other: true },
  "logical-flat-both": {
    logical: 0x02000000,
    high: 0x03000000,
    low: LOGICAL,
    self: true,
    other: true,
  },
  "logical-cluster": {
    logical: 0x32000000,
    format: 0x0fffffff,
    high: 0x32000000,
    low: LOGICAL,
    other: true,
  },
  // Each APIC matches by its own model: flat at vCPU 0, clusters at vCPU 1.
  "logical-mixed": {
    logical: 0x32000000,
    otherFormat: 0x0fffffff,
    high: 0x32000000,
    low: LOGICAL,
    other: true,
  },
  "logical-mixed-self": {
    logical: 0x32000000,
    otherFormat: 0x0fffffff,
    high: 0x41000000,
    low: LOGICAL,
    self: true,
    other: false,
  },
  // Two APICs may have the same logical id.
  "logical-shared": {
    logical: 0x01000000,
    high: 0x01000000,
    low: LOGICAL,
    self: true,
    other: true,
  },
  // Neither of the two.
  "logical-absent": { logical: 0x02000000, high: 0x04000000, low: LOGICAL, other: false },
  "physical-absent": { high: 0x02000000, low: FIXED, other: false },
  "lowest-priority": { logical: 0x02000000, high: 0x02000000, low: LOWEST | 0x800, other: true },
};

/** What one vCPU sends arrives at those that the destination includes, once at each. */
export default defineCases("smp/ipi", rows, (row) => ({
  spec: ["SDM 3A 10.6.1: interrupt command register", "SDM 3A 10.6.2: determining IPI destination"],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xe0], ${row.format ?? 0xffffffff}
    mov dword [rsi + 0xd0], ${(row.format ?? 0xffffffff) === 0xffffffff ? 0x01000000 : 0x11000000}
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    mov dword [rsi + 0x310], ${row.high}
    mov dword [rsi + 0x300], ${row.low}
    mov byte [0xa001], 1            ; sent
    mov eax, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    out 0x10, eax
    vcpu1:
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xe0], ${row.otherFormat ?? row.format ?? 0xffffffff}
    mov dword [rsi + 0xd0], ${row.logical ?? 0}
    mov byte [0xa000], 1
    sent:
    pause
    cmp byte [0xa001], 1
    jne sent
    mov eax, [rsi + 0x220]
    out 0x11, eax
  `,
  trace: `
    0: pio out 0x10 u32 ${row.self ? "0x20000" : "0x0"}
    1: pio out 0x11 u32 ${row.other ? "0x20000" : "0x0"}
    0: = rax ${row.self ? "0x20000" : "0x0"}
    1: = rax ${row.other ? "0x20000" : "0x0"}
    0: = rflags 0x46
    1: = rflags 0x46
    = mem 0xa000 u8 [0x1 0x1]
  `,
}));
