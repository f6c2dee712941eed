import { asm, defineCases, type ModeName } from "../../mod.ts";

interface Row {
  readonly mode: ModeName;
  readonly instruction: string;
  readonly down?: true;
  readonly registers: { readonly rcx: bigint; readonly rdi?: bigint; readonly rsi?: bigint };
  readonly trace: string;
}

// In real mode DS and ES begin at 0xfff0, so that offset 0xffff lies at 0x1ffef and offset 0 at 0xfff0.
// In long mode the linear page 0xfffff000 is mapped to 0xb000, and 0 is 0.
const rows: Record<string, Row> = {
  "insb-up": {
    mode: "real",
    instruction: "rep insb",
    registers: { rcx: 4n, rdi: 0x5a5afffen },
    trace: `
      pio in 0x1f0 u8 -> [0x81 0x12 0xf3 0x64]
      hlt
      = mem 0x1ffee u8 [0x81 0x12]
      = mem 0xfff0 u8 [0xf3 0x64]
      = rcx 0x0
      = rdi 0x5a5a0002
    `,
  },
  "insb-down": {
    mode: "real",
    instruction: "rep insb",
    down: true,
    registers: { rcx: 4n, rdi: 0x5a5a0001n },
    trace: `
      pio in 0x1f0 u8 -> [0x81 0x12 0xf3 0x64]
      hlt
      = mem 0x1ffee u8 [0x64 0xf3]
      = mem 0xfff0 u8 [0x12 0x81]
      = rcx 0x0
      = rdi 0x5a5afffd
    `,
  },
  "insw-up": {
    mode: "real",
    instruction: "rep insw",
    registers: { rcx: 2n, rdi: 0x5a5afffen },
    trace: `
      pio in 0x1f0 u16 -> [0x8180 0x1213]
      hlt
      = mem 0x1ffee u16 0x8180
      = mem 0xfff0 u16 0x1213
      = rcx 0x0
      = rdi 0x5a5a0002
    `,
  },
  "insd-down": {
    mode: "real",
    instruction: "rep insd",
    down: true,
    registers: { rcx: 2n, rdi: 0x5a5a0000n },
    trace: `
      pio in 0x1f0 u32 -> [0x81828384 0x91929394]
      hlt
      = mem 0xfff0 u32 0x81828384
      = mem 0x1ffec u32 0x91929394
      = rcx 0x0
      = rdi 0x5a5afff8
    `,
  },
  "outsb-up": {
    mode: "real",
    instruction: "rep outsb",
    registers: { rcx: 4n, rsi: 0x5a5afffen },
    trace: `
      pio out 0x1f0 u8 [0xe1 0xe2 0xd1 0xd2]
      hlt
      = rcx 0x0
      = rsi 0x5a5a0002
    `,
  },
  "outsw-down": {
    mode: "real",
    instruction: "rep outsw",
    down: true,
    registers: { rcx: 2n, rsi: 0x5a5a0000n },
    trace: `
      pio out 0x1f0 u16 [0xd2d1 0xe2e1]
      hlt
      = rcx 0x0
      = rsi 0x5a5afffc
    `,
  },
  "a32-insb-up": {
    mode: "long",
    instruction: "a32 rep insb",
    registers: { rcx: 4n, rdi: 0x5a5afffffffen },
    trace: `
      pio in 0x1f0 u8 -> [0x81 0x12 0xf3 0x64]
      hlt
      = mem 0xbffe u8 [0x81 0x12]
      = mem 0x0 u8 [0xf3 0x64]
      = rcx 0x0
      = rdi 0x2
    `,
  },
  "a32-outsw-down": {
    mode: "long",
    instruction: "a32 rep outsw",
    down: true,
    registers: { rcx: 2n, rsi: 0x5a5a00000000n },
    trace: `
      pio out 0x1f0 u16 [0xc2c1 0xb2b1]
      hlt
      = rcx 0x0
      = rsi 0xfffffffc
    `,
  },
};

/** A pointer that passes the end of its address size goes on at the other end, element by element. */
export default defineCases(
  "pio/string-wrap",
  rows,
  ({ mode, instruction, down, registers, trace }) => ({
    spec: ["SDM 2A: INS", "SDM 2B: OUTS", "SDM 1 3.3.7: address calculations wrap"],
    mode,
    machine: {
      rflags: { set: down ? 0x400n : 0n },
      ...(mode === "long" ? { map: [{ virtual: 0xfffff000n, physical: 0xb000 }] } : {}),
    },
    registers: { rax: 0xfffn, rdx: 0x1f0n, ...registers },
    guest: mode === "real"
      ? asm`
        mov ds, ax
        mov es, ax
        ${instruction}
        hlt
      `
      : asm`
        ${instruction}
        hlt
      `,
    drive: ({ write }) => {
      write(0x0, Uint8Array.of(0xc1, 0xc2));
      write(0xbffe, Uint8Array.of(0xb1, 0xb2));
      write(0xfff0, Uint8Array.of(0xd1, 0xd2));
      write(0x1ffee, Uint8Array.of(0xe1, 0xe2));
    },
    trace: mode === "real"
      ? `
        ${trace}
        = ds.base 0xfff0
        = ds.selector 0xfff
        = es.base 0xfff0
        = es.selector 0xfff
      `
      : trace,
  }),
);
