import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit: string; state: string }> = {
  "outs-ds": {
    instruction: "outsb",
    exit: "pio out 0x1f0 u8 0xa5",
    state: "= rsi 0xa001",
  },
  "outs-es": {
    instruction: "db 0x26, 0x6e", // es outsb
    exit: "pio out 0x1f0 u8 0xa5",
    state: "= rsi 0xa001",
  },
  "outs-fs": {
    instruction: "fs outsb",
    exit: "pio out 0x1f0 u8 0xd5",
    state: "= rsi 0xa001",
  },
  "ins-es": {
    instruction: "insb",
    exit: "pio in 0x1f0 u8 -> 0x77",
    state: "= mem 0xa100 u8 0x77\n= rdi 0xa101",
  },
  "ins-fs": {
    instruction: "db 0x64, 0x6c", // fs insb
    exit: "pio in 0x1f0 u8 -> 0x77",
    state: "= mem 0xa100 u8 0x77\n= rdi 0xa101",
  },
};

/**
 * In 64-bit mode string I/O ignores the bases of DS and ES, which are 0x1000 here, and honours that of
 * FS (0x3000) for the source alone.
 */
export default defineCases("pio/string-segment-64-bit", rows, ({ instruction, exit, state }) => ({
  spec: ["SDM 1 3.4.2.1: segment registers in 64-bit mode", "SDM 2A: INS", "SDM 2B: OUTS"],
  mode: "long",
  machine: {
    // Flat data segments with the bases 0x1000 and 0x3000.
    descriptors: { 0x78: 0x00cf93001000ffffn, 0x80: 0x00cf93003000ffffn },
  },
  registers: { rdx: 0x1f0n, rsi: 0xa000n, rdi: 0xa100n },
  guest: asm`
    mov eax, 0x78
    mov ds, ax
    mov es, ax
    mov eax, 0x80
    mov fs, ax
    ${instruction}
    hlt
  `,
  drive: ({ write }) => {
    write(0xa000, Uint8Array.of(0xa5));
    write(0xb000, Uint8Array.of(0xb5));
    write(0xd000, Uint8Array.of(0xd5));
  },
  trace: `
    ${exit}
    hlt
    ${state}
    = rax 0x80
    = ds.selector 0x78
    = ds.base 0x1000
    = es.selector 0x78
    = es.base 0x1000
    = fs.selector 0x80
    = fs.base 0x3000
  `,
}));
