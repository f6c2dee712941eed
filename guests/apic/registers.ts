import { asm, defineCases } from "../../mod.ts";

interface Row {
  offset: number;
  reset: number | "*";
  /** What is written, and what is read behind it, in turn. */
  writes: readonly (readonly [value: number, reads: number])[];
}

const rows: Record<string, Row> = {
  id: { offset: 0x20, reset: 0, writes: [[0x05ffffff, 0x05000000], [0, 0]] },
  version: { offset: 0x30, reset: "*", writes: [] },
  "task-priority": {
    offset: 0x80,
    reset: 0,
    writes: [[0xf0, 0xf0], [0xffffff30, 0x30], [0x100, 0]],
  },
  "task-priority-sub-class": { offset: 0x80, reset: 0, writes: [[0x35, 0x35], [0, 0]] },
  "logical-destination": {
    offset: 0xd0,
    reset: 0,
    writes: [[0xffffffff, 0xff000000], [0x12345678, 0x12000000], [0, 0]],
  },
  "destination-format": {
    offset: 0xe0,
    reset: 0xffffffff,
    writes: [[0, 0x0fffffff], [0xf0000000, 0xffffffff], [0x50000000, 0x5fffffff]],
  },
  // Vector, enable, focus checking: nothing above bit 9 (and bit 12, where EOI can be directed).
  spurious: {
    offset: 0xf0,
    reset: 0xff,
    writes: [[0x1a5, 0x1a5], [0x3ff, 0x3ff], [0xfff0ef, 0xef]],
  },
  "in-service": { offset: 0x100, reset: 0, writes: [[0xffffffff, 0]] },
  "trigger-mode": { offset: 0x180, reset: 0, writes: [[0xffffffff, 0]] },
  request: { offset: 0x200, reset: 0, writes: [[0xffffffff, 0]] },
  "interrupt-command-high": {
    offset: 0x310,
    reset: 0,
    writes: [[0xffffffff, 0xff000000], [0x5a123456, 0x5a000000]],
  },
  "processor-priority": { offset: 0xa0, reset: 0, writes: [[0xff, 0]] },
  "initial-count": { offset: 0x380, reset: 0, writes: [[0x7fffffff, 0x7fffffff], [0, 0]] },
  "current-count": { offset: 0x390, reset: 0, writes: [[0x7fffffff, 0]] },
  divide: {
    offset: 0x3e0,
    reset: 0,
    writes: [[0xb, 0xb], [0xffffffff, 0xb], [0x8, 0x8], [0xfffffff4, 0]],
  },
  // Masked as long as the APIC is disabled; delivery status and Remote IRR are left out.
  "lvt-timer": {
    offset: 0x320,
    reset: 0x10000,
    writes: [[0x00020031, 0x30031], [0xfff80031, 0x10031]],
  },
  "lvt-thermal": { offset: 0x330, reset: 0x10000, writes: [[0xfffeafff, 0x107ff], [0, 0x10000]] },
  "lvt-performance": {
    offset: 0x340,
    reset: 0x10000,
    writes: [[0xfffeafff, 0x107ff], [0, 0x10000]],
  },
  "lvt-lint1": { offset: 0x360, reset: 0x10000, writes: [[0xfffeafff, 0x1a7ff], [0, 0x10000]] },
  "lvt-error": { offset: 0x370, reset: 0x10000, writes: [[0xfffeafff, 0x100ff], [0, 0x10000]] },
};

const hex = (value: number | "*") => value === "*" ? value : `0x${value.toString(16)}`;

/** The local APIC's registers: what they hold after reset, and which bits can be written. */
export default defineCases("apic/registers", rows, ({ offset, reset, writes }) => ({
  spec: ["SDM 3A 10.4.1: local APIC register address map", "SDM 3A 10.5.1: local vector table"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov eax, [rsi + ${offset}]
    out 0x10, eax
    ${
    writes.map(([value]) => `
      mov dword [rsi + ${offset}], ${value}
      mov eax, [rsi + ${offset}]
      out 0x11, eax
    `).join("\n")
  }
    mov eax, 0
    out 0xf4, al
  `,
  trace: `
    pio out 0x10 u32 ${hex(reset)}
    ${writes.map(([, reads]) => `pio out 0x11 u32 ${hex(reads)}`).join("\n")}
    pio out 0xf4 u8 0x0
    ${offset === 0x80 ? "= cr8 0x0" : ""}
  `,
}));
