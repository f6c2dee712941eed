import { asm, defineCases, type ModeName } from "../../mod.ts";

interface Row {
  readonly mode: ModeName;
  readonly instruction: string;
  readonly registers: { readonly rcx: bigint; readonly rdi: bigint; readonly rsi: bigint };
  readonly trace: string;
}

// 0x7f1234567000 is mapped to 0xa000 in long mode.
const rows: Record<string, Row> = {
  "real-a32-ins": {
    mode: "real",
    instruction: "a32 rep insb",
    registers: { rcx: 2n, rdi: 0xa010n, rsi: 0n },
    trace: `
      pio in 0x1f0 u8 -> [0x81 0x12]
      hlt
      = mem 0xa010 u8 [0x81 0x12]
      = rcx 0x0
      = rdi 0xa012
    `,
  },
  "real-a32-outs": {
    mode: "real",
    instruction: "a32 rep outsw",
    registers: { rcx: 2n, rdi: 0n, rsi: 0xb010n },
    trace: `
      pio out 0x1f0 u16 [0xd2d1 0xd4d3]
      hlt
      = rcx 0x0
      = rsi 0xb014
    `,
  },
  "protected-a16-ins": {
    mode: "protected",
    instruction: "a16 rep insw",
    registers: { rcx: 0x7fff0002n, rdi: 0x5a5aa010n, rsi: 0n },
    trace: `
      pio in 0x1f0 u16 -> [0x8180 0x1213]
      hlt
      = mem 0xa010 u16 [0x8180 0x1213]
      = rcx 0x7fff0000
      = rdi 0x5a5aa014
    `,
  },
  "protected-a16-outs": {
    mode: "protected",
    instruction: "a16 rep outsd",
    registers: { rcx: 0x7fff0001n, rdi: 0n, rsi: 0x5a5ab010n },
    trace: `
      pio out 0x1f0 u32 0xd4d3d2d1
      hlt
      = rcx 0x7fff0000
      = rsi 0x5a5ab014
    `,
  },
  "long-a64-ins": {
    mode: "long",
    instruction: "rep insd",
    registers: { rcx: 2n, rdi: 0x7f1234567ff8n, rsi: 0n },
    trace: `
      pio in 0x1f0 u32 -> [0x81828384 0x91929394]
      hlt
      = mem 0xaff8 u32 [0x81828384 0x91929394]
      = rcx 0x0
      = rdi 0x7f1234568000
    `,
  },
  "long-a64-outs": {
    mode: "long",
    instruction: "rep outsb",
    registers: { rcx: 2n, rdi: 0n, rsi: 0x7f1234567010n },
    trace: `
      pio out 0x1f0 u8 [0xa1 0xa2]
      hlt
      = rcx 0x0
      = rsi 0x7f1234567012
    `,
  },
  // What is written of a 32-bit pointer or count zero-extends, as every 32-bit result does.
  "long-a32-ins": {
    mode: "long",
    instruction: "a32 rep insb",
    registers: { rcx: 0xfffffffd00000002n, rdi: 0x7f120000a010n, rsi: 0n },
    trace: `
      pio in 0x1f0 u8 -> [0x81 0x12]
      hlt
      = mem 0xa010 u8 [0x81 0x12]
      = rcx 0x0
      = rdi 0xa012
    `,
  },
  "long-a32-outs": {
    mode: "long",
    instruction: "a32 rep outsd",
    registers: { rcx: 0xfffffffd00000001n, rdi: 0n, rsi: 0x7f120000b010n },
    trace: `
      pio out 0x1f0 u32 0xd4d3d2d1
      hlt
      = rcx 0x0
      = rsi 0xb014
    `,
  },
};

/**
 * The address size, by mode and prefix, says how much of the pointer and of the count is meant: what
 * lies above is not part of the address, and a 16-bit pointer or count leaves it alone.
 */
export default defineCases(
  "pio/string-address-size",
  rows,
  ({ mode, instruction, registers, trace }) => ({
    spec: ["SDM 2A: INS", "SDM 2B: OUTS", "SDM 2B: REP", "SDM 1 3.4.1.1"],
    mode,
    machine: mode === "long" ? { map: [{ virtual: 0x7f1234567000n, physical: 0xa000 }] } : {},
    registers: { rdx: 0x1f0n, ...registers },
    guest: asm`
      ${instruction}
      hlt
    `,
    drive: ({ write }) => {
      write(0xa010, Uint8Array.of(0xa1, 0xa2));
      write(0xb010, Uint8Array.of(0xd1, 0xd2, 0xd3, 0xd4));
    },
    trace,
  }),
);
