import { asm, defineCases } from "../../mod.ts";

interface Row {
  /** LDR and DFR. */
  logical?: number;
  format?: number;
  /** Upper and lower half of the ICR, vector 0x51. */
  high: number;
  low: number;
  arrives: boolean;
}

const flat = { logical: 0x02000000, format: 0xffffffff };
/** Cluster 2, first of four. */
const cluster = { logical: 0x21000000, format: 0x0fffffff };
const [FIXED, LOWEST, LOGICAL] = [0x4051, 0x4151, 0x4851];

const rows: Record<string, Row> = {
  "physical-self": { high: 0, low: FIXED, arrives: true },
  "physical-other": { high: 0x01000000, low: FIXED, arrives: false },
  "physical-broadcast": { high: 0xff000000, low: FIXED, arrives: true },
  // The logical destination is not the physical one.
  "physical-not-logical": { ...flat, high: 0x02000000, low: FIXED, arrives: false },
  "shorthand-self": { high: 0x05000000, low: FIXED | 0x40000, arrives: true },
  "shorthand-all": { high: 0x05000000, low: FIXED | 0x80000, arrives: true },
  "shorthand-others": { high: 0, low: FIXED | 0xc0000, arrives: false },
  "flat-self": { ...flat, high: 0x02000000, low: LOGICAL, arrives: true },
  "flat-among-others": { ...flat, high: 0x83000000, low: LOGICAL, arrives: true },
  "flat-others": { ...flat, high: 0xfd000000, low: LOGICAL, arrives: false },
  "flat-none": { ...flat, high: 0, low: LOGICAL, arrives: false },
  "flat-broadcast": { ...flat, high: 0xff000000, low: LOGICAL, arrives: true },
  "flat-no-logical-id": {
    logical: 0,
    format: 0xffffffff,
    high: 0x01000000,
    low: LOGICAL,
    arrives: false,
  },
  "flat-two-bits": {
    logical: 0x06000000,
    format: 0xffffffff,
    high: 0x04000000,
    low: LOGICAL,
    arrives: true,
  },
  "cluster-self": { ...cluster, high: 0x21000000, low: LOGICAL, arrives: true },
  "cluster-among-others": { ...cluster, high: 0x23000000, low: LOGICAL, arrives: true },
  "cluster-all-of-it": { ...cluster, high: 0x2f000000, low: LOGICAL, arrives: true },
  "cluster-others-of-it": { ...cluster, high: 0x2e000000, low: LOGICAL, arrives: false },
  "cluster-other": { ...cluster, high: 0x11000000, low: LOGICAL, arrives: false },
  "cluster-broadcast": { ...cluster, high: 0xff000000, low: LOGICAL, arrives: true },
  "lowest-priority-physical": { high: 0, low: LOWEST, arrives: true },
  "lowest-priority-logical": { ...flat, high: 0x02000000, low: LOWEST | 0x800, arrives: true },
  "lowest-priority-others": { ...flat, high: 0x04000000, low: LOWEST | 0x800, arrives: false },
};

/** An IPI that the APIC sends arrives in its own IRR where the destination includes it. */
export default defineCases("apic/destination", rows, (row) => ({
  spec: ["SDM 3A 10.6.1: interrupt command register", "SDM 3A 10.6.2: determining IPI destination"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xe0], ${row.format ?? 0xffffffff}
    mov dword [rsi + 0xd0], ${row.logical ?? 0}
    mov dword [rsi + 0x310], ${row.high}
    mov dword [rsi + 0x300], ${row.low}
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov ecx, [rsi + 0x1a0]          ; TMR: an edge
    mov edx, [rsi + 0x300]          ; delivered: no send pending
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x0
    = rbx ${row.arrives ? "0x20000" : "0x0"}
    = rdx 0x${row.low.toString(16)}
  `,
}));
