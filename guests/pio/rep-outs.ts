import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS, DIRECTION_FLAG, type PortMode, portRegister } from "./_machine.ts";

interface Row {
  readonly mode: PortMode;
  readonly instruction: string;
  readonly flags: bigint;
  readonly port: string;
  /** What lies in memory, from `source` upwards. */
  readonly source: number;
  readonly elements: readonly number[];
  readonly rsi: string;
}

const rows: Record<string, Row> = {
  "real-8-up": {
    mode: "real",
    instruction: "rep outsb",
    flags: ARITHMETIC_FLAGS,
    port: "u8 [0x81 0x12 0xf3 0x64 0x95]",
    source: 0xa043,
    elements: [0x81, 0x12, 0xf3, 0x64, 0x95],
    rsi: "0x5a5aa048",
  },
  "real-8-down": {
    mode: "real",
    instruction: "rep outsb",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u8 [0x81 0x12 0xf3 0x64 0x95]",
    source: 0xa03f,
    elements: [0x95, 0x64, 0xf3, 0x12, 0x81],
    rsi: "0x5a5aa03e",
  },
  "real-16-up": {
    mode: "real",
    instruction: "rep outsw",
    flags: ARITHMETIC_FLAGS,
    port: "u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    source: 0xa043,
    elements: [0x8180, 0x1213, 0xf3e3, 0x6475, 0x95a5],
    rsi: "0x5a5aa04d",
  },
  "real-16-down": {
    mode: "real",
    instruction: "rep outsw",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    source: 0xa03b,
    elements: [0x95a5, 0x6475, 0xf3e3, 0x1213, 0x8180],
    rsi: "0x5a5aa039",
  },
  "real-32-up": {
    mode: "real",
    instruction: "rep outsd",
    flags: ARITHMETIC_FLAGS,
    port: "u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    source: 0xa043,
    elements: [0x81808384, 0x12131415, 0xf3e3d3c3, 0x64758697, 0x95a5b5c5],
    rsi: "0x5a5aa057",
  },
  "real-32-down": {
    mode: "real",
    instruction: "rep outsd",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    source: 0xa033,
    elements: [0x95a5b5c5, 0x64758697, 0xf3e3d3c3, 0x12131415, 0x81808384],
    rsi: "0x5a5aa02f",
  },
  "protected-8-up": {
    mode: "protected",
    instruction: "rep outsb",
    flags: ARITHMETIC_FLAGS,
    port: "u8 [0x81 0x12 0xf3 0x64 0x95]",
    source: 0xa043,
    elements: [0x81, 0x12, 0xf3, 0x64, 0x95],
    rsi: "0xa048",
  },
  "protected-8-down": {
    mode: "protected",
    instruction: "rep outsb",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u8 [0x81 0x12 0xf3 0x64 0x95]",
    source: 0xa03f,
    elements: [0x95, 0x64, 0xf3, 0x12, 0x81],
    rsi: "0xa03e",
  },
  "protected-16-up": {
    mode: "protected",
    instruction: "rep outsw",
    flags: ARITHMETIC_FLAGS,
    port: "u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    source: 0xa043,
    elements: [0x8180, 0x1213, 0xf3e3, 0x6475, 0x95a5],
    rsi: "0xa04d",
  },
  "protected-16-down": {
    mode: "protected",
    instruction: "rep outsw",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    source: 0xa03b,
    elements: [0x95a5, 0x6475, 0xf3e3, 0x1213, 0x8180],
    rsi: "0xa039",
  },
  "protected-32-up": {
    mode: "protected",
    instruction: "rep outsd",
    flags: ARITHMETIC_FLAGS,
    port: "u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    source: 0xa043,
    elements: [0x81808384, 0x12131415, 0xf3e3d3c3, 0x64758697, 0x95a5b5c5],
    rsi: "0xa057",
  },
  "protected-32-down": {
    mode: "protected",
    instruction: "rep outsd",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    source: 0xa033,
    elements: [0x95a5b5c5, 0x64758697, 0xf3e3d3c3, 0x12131415, 0x81808384],
    rsi: "0xa02f",
  },
  "long-8-up": {
    mode: "long",
    instruction: "rep outsb",
    flags: ARITHMETIC_FLAGS,
    port: "u8 [0x81 0x12 0xf3 0x64 0x95]",
    source: 0xa043,
    elements: [0x81, 0x12, 0xf3, 0x64, 0x95],
    rsi: "0xa048",
  },
  "long-8-down": {
    mode: "long",
    instruction: "rep outsb",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u8 [0x81 0x12 0xf3 0x64 0x95]",
    source: 0xa03f,
    elements: [0x95, 0x64, 0xf3, 0x12, 0x81],
    rsi: "0xa03e",
  },
  "long-16-up": {
    mode: "long",
    instruction: "rep outsw",
    flags: ARITHMETIC_FLAGS,
    port: "u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    source: 0xa043,
    elements: [0x8180, 0x1213, 0xf3e3, 0x6475, 0x95a5],
    rsi: "0xa04d",
  },
  "long-16-down": {
    mode: "long",
    instruction: "rep outsw",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    source: 0xa03b,
    elements: [0x95a5, 0x6475, 0xf3e3, 0x1213, 0x8180],
    rsi: "0xa039",
  },
  "long-32-up": {
    mode: "long",
    instruction: "rep outsd",
    flags: ARITHMETIC_FLAGS,
    port: "u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    source: 0xa043,
    elements: [0x81808384, 0x12131415, 0xf3e3d3c3, 0x64758697, 0x95a5b5c5],
    rsi: "0xa057",
  },
  "long-32-down": {
    mode: "long",
    instruction: "rep outsd",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    source: 0xa033,
    elements: [0x95a5b5c5, 0x64758697, 0xf3e3d3c3, 0x12131415, 0x81808384],
    rsi: "0xa02f",
  },
};

/**
 * REP OUTS writes (E)CX elements from DS:(E)SI to the port, in memory's order or against it as DF says,
 * and leaves the count at 0 and the pointer past the last one. With 16-bit addresses (real mode here)
 * the upper halves of ECX and ESI take no part and stay. RDI, memory and the flags do too.
 */
export default defineCases(
  "pio/rep-outs",
  rows,
  ({ mode, instruction, flags, port, source, elements, rsi }) => ({
    spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2B: OUTS", "SDM 2B: REP"],
    mode,
    machine: { rflags: { set: flags } },
    registers: {
      rax: 0x11223344n,
      rcx: mode === "real" ? 0x7fff0005n : 5n,
      rdx: portRegister(mode, 0x1f0),
      rsi: mode === "real" ? 0x5a5aa043n : 0xa043n,
      rdi: 0xa800n,
    },
    guest: asm`
      ${instruction}
      hlt
      halted:
    `,
    drive: ({ write }) => write(source, elementBytes(elements, instruction)),
    trace: ({ halted }) => `
      pio out 0x1f0 ${port}
      hlt
      = rcx ${mode === "real" ? "0x7fff0000" : "0x0"}
      = rsi ${rsi}
      = rip ${halted}
    `,
  }),
);

/** The elements of `rep outsb`, `rep outsw` or `rep outsd` as bytes. */
function elementBytes(elements: readonly number[], instruction: string): Uint8Array {
  const Elements = { b: Uint8Array, w: Uint16Array, d: Uint32Array }[
    instruction.slice(-1) as "b" | "w" | "d"
  ];
  return new Uint8Array(Elements.from(elements).buffer);
}
