import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS, DIRECTION_FLAG, type PortMode, portRegister } from "./_machine.ts";

interface Row {
  readonly mode: PortMode;
  readonly instruction: string;
  readonly flags: bigint;
  readonly port: string;
  readonly memory: string;
  readonly rdi: string;
}

const rows: Record<string, Row> = {
  "real-8-up": {
    mode: "real",
    instruction: "rep insb",
    flags: ARITHMETIC_FLAGS,
    port: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    memory: "0xa043 u8 [0x81 0x12 0xf3 0x64 0x95]",
    rdi: "0x5a5aa048",
  },
  "real-8-down": {
    mode: "real",
    instruction: "rep insb",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    memory: "0xa03f u8 [0x95 0x64 0xf3 0x12 0x81]",
    rdi: "0x5a5aa03e",
  },
  "real-16-up": {
    mode: "real",
    instruction: "rep insw",
    flags: ARITHMETIC_FLAGS,
    port: "u16 -> [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    memory: "0xa043 u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    rdi: "0x5a5aa04d",
  },
  "real-16-down": {
    mode: "real",
    instruction: "rep insw",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u16 -> [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    memory: "0xa03b u16 [0x95a5 0x6475 0xf3e3 0x1213 0x8180]",
    rdi: "0x5a5aa039",
  },
  "real-32-up": {
    mode: "real",
    instruction: "rep insd",
    flags: ARITHMETIC_FLAGS,
    port: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    memory: "0xa043 u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    rdi: "0x5a5aa057",
  },
  "real-32-down": {
    mode: "real",
    instruction: "rep insd",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    memory: "0xa033 u32 [0x95a5b5c5 0x64758697 0xf3e3d3c3 0x12131415 0x81808384]",
    rdi: "0x5a5aa02f",
  },
  "protected-8-up": {
    mode: "protected",
    instruction: "rep insb",
    flags: ARITHMETIC_FLAGS,
    port: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    memory: "0xa043 u8 [0x81 0x12 0xf3 0x64 0x95]",
    rdi: "0xa048",
  },
  "protected-8-down": {
    mode: "protected",
    instruction: "rep insb",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    memory: "0xa03f u8 [0x95 0x64 0xf3 0x12 0x81]",
    rdi: "0xa03e",
  },
  "protected-16-up": {
    mode: "protected",
    instruction: "rep insw",
    flags: ARITHMETIC_FLAGS,
    port: "u16 -> [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    memory: "0xa043 u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    rdi: "0xa04d",
  },
  "protected-16-down": {
    mode: "protected",
    instruction: "rep insw",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u16 -> [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    memory: "0xa03b u16 [0x95a5 0x6475 0xf3e3 0x1213 0x8180]",
    rdi: "0xa039",
  },
  "protected-32-up": {
    mode: "protected",
    instruction: "rep insd",
    flags: ARITHMETIC_FLAGS,
    port: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    memory: "0xa043 u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    rdi: "0xa057",
  },
  "protected-32-down": {
    mode: "protected",
    instruction: "rep insd",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    memory: "0xa033 u32 [0x95a5b5c5 0x64758697 0xf3e3d3c3 0x12131415 0x81808384]",
    rdi: "0xa02f",
  },
  "long-8-up": {
    mode: "long",
    instruction: "rep insb",
    flags: ARITHMETIC_FLAGS,
    port: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    memory: "0xa043 u8 [0x81 0x12 0xf3 0x64 0x95]",
    rdi: "0xa048",
  },
  "long-8-down": {
    mode: "long",
    instruction: "rep insb",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    memory: "0xa03f u8 [0x95 0x64 0xf3 0x12 0x81]",
    rdi: "0xa03e",
  },
  "long-16-up": {
    mode: "long",
    instruction: "rep insw",
    flags: ARITHMETIC_FLAGS,
    port: "u16 -> [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    memory: "0xa043 u16 [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    rdi: "0xa04d",
  },
  "long-16-down": {
    mode: "long",
    instruction: "rep insw",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u16 -> [0x8180 0x1213 0xf3e3 0x6475 0x95a5]",
    memory: "0xa03b u16 [0x95a5 0x6475 0xf3e3 0x1213 0x8180]",
    rdi: "0xa039",
  },
  "long-32-up": {
    mode: "long",
    instruction: "rep insd",
    flags: ARITHMETIC_FLAGS,
    port: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    memory: "0xa043 u32 [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    rdi: "0xa057",
  },
  "long-32-down": {
    mode: "long",
    instruction: "rep insd",
    flags: ARITHMETIC_FLAGS | DIRECTION_FLAG,
    port: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    memory: "0xa033 u32 [0x95a5b5c5 0x64758697 0xf3e3d3c3 0x12131415 0x81808384]",
    rdi: "0xa02f",
  },
};

/**
 * REP INS stores (E)CX elements from the port at ES:(E)DI, upwards or downwards as DF says, and leaves
 * the count at 0 and the pointer past the last one. With 16-bit addresses (real mode here) the upper
 * halves of ECX and EDI take no part and stay. RSI and the flags do too.
 */
export default defineCases(
  "pio/rep-ins",
  rows,
  ({ mode, instruction, flags, port, memory, rdi }) => ({
    spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: INS", "SDM 2B: REP"],
    mode,
    machine: { rflags: { set: flags } },
    registers: {
      rax: 0x11223344n,
      rcx: mode === "real" ? 0x7fff0005n : 5n,
      rdx: portRegister(mode, 0x1f0),
      rdi: mode === "real" ? 0x5a5aa043n : 0xa043n,
      rsi: 0xa800n,
    },
    guest: asm`
      ${instruction}
      hlt
      halted:
    `,
    trace: ({ halted }) => `
      pio in 0x1f0 ${port}
      hlt
      = mem ${memory}
      = rcx ${mode === "real" ? "0x7fff0000" : "0x0"}
      = rdi ${rdi}
      = rip ${halted}
    `,
  }),
);
