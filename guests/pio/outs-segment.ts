import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; value: number }> = {
  default: { instruction: "outsb", value: 0xd5 },
  cs: { instruction: "cs outsb", value: 0xc5 },
  ds: { instruction: "ds outsb", value: 0xd5 },
  es: { instruction: "es outsb", value: 0xe5 },
  fs: { instruction: "fs outsb", value: 0xf5 },
  gs: { instruction: "gs outsb", value: 0x95 },
  ss: { instruction: "ss outsb", value: 0x55 },
};

/** OUTS reads through DS, or through the segment that its prefix names. */
export default defineCases("pio/outs-segment", rows, ({ instruction, value }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2B: OUTS"],
  mode: "real",
  registers: { rdx: 0x1f0n, rsi: 0xa000n },
  guest: asm`
    mov ax, 0x100
    mov ds, ax
    mov ax, 0x200
    mov es, ax
    mov ax, 0x300
    mov fs, ax
    mov ax, 0x400
    mov gs, ax
    mov ax, 0x500
    mov ss, ax
    ${instruction}
    hlt
  `,
  drive: ({ write }) => {
    write(0xa000, Uint8Array.of(0xc5));
    write(0xb000, Uint8Array.of(0xd5));
    write(0xc000, Uint8Array.of(0xe5));
    write(0xd000, Uint8Array.of(0xf5));
    write(0xe000, Uint8Array.of(0x95));
    write(0xf000, Uint8Array.of(0x55));
  },
  trace: `
    pio out 0x1f0 u8 0x${value.toString(16)}
    hlt
    = rax 0x500
    = rsi 0xa001
    = ds.selector 0x100
    = ds.base 0x1000
    = es.selector 0x200
    = es.base 0x2000
    = fs.selector 0x300
    = fs.base 0x3000
    = gs.selector 0x400
    = gs.base 0x4000
    = ss.selector 0x500
    = ss.base 0x5000
  `,
}));
