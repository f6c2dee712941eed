import { asm, defineCases } from "../../mod.ts";

const rows = {
  "out-wrap": {
    prepare: "mov ax, 0x2000\nmov es, ax",
    instruction: "rep movsb",
    rsi: 0xb000n,
    rdi: 0xffffn,
    trace: `
      mmio write 0x2ffff u8 0x11
      mmio write 0x20000 u8 0x22
      hlt
      = rax 0x2000
      = es.selector 0x2000
      = es.base 0x20000
      = rsi 0xb002
      = rdi 0x1
      = rcx 0x0
    `,
  },
  "in-segment-override": {
    prepare: "mov ax, 0x2000\nmov fs, ax",
    instruction: "rep fs movsw",
    rsi: 0xfffen,
    rdi: 0xc000n,
    trace: `
      mmio read 0x2fffe u16 -> 0x4433
      mmio read 0x20000 u16 -> 0x6655
      hlt
      = rax 0x2000
      = fs.selector 0x2000
      = fs.base 0x20000
      = rsi 0x2
      = rdi 0xc004
      = rcx 0x0
      = mem 0xc000 u16 [0x4433 0x6655]
    `,
  },
};

/** In real mode SI, DI and CX have 16 bits: the offsets wrap inside their segments. */
export default defineCases("mmio/string-move-real", rows, (row) => ({
  spec: ["SDM 2B: MOVS", "SDM 3B 21.1.1: address translation in real-address mode"],
  mode: "real",
  registers: { rsi: row.rsi, rdi: row.rdi, rcx: 2n },
  guest: asm`
    ${row.prepare}
    ${row.instruction}
    hlt
  `,
  drive: ({ write }) => write(0xb000, Uint8Array.of(0x11, 0x22)),
  trace: row.trace,
}));
