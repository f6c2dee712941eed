import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS, DIRECTION_FLAG, type PortMode, portRegister } from "./_machine.ts";

interface Row {
  readonly mode: PortMode;
  readonly instruction: string;
  readonly down?: true;
  readonly trace: string;
}

const rows: Record<string, Row> = {
  "real-insb": {
    mode: "real",
    instruction: "insb",
    trace: `
      pio in 0x1f0 u8 -> 0x9f
      hlt
      = mem 0xa041 u8 0x9f
      = rdi 0xa042
    `,
  },
  "real-insd-down": {
    mode: "real",
    instruction: "insd",
    down: true,
    trace: `
      pio in 0x1f0 u32 -> 0x9f3b5d71
      hlt
      = mem 0xa041 u32 0x9f3b5d71
      = rdi 0xa03d
    `,
  },
  "protected-insw": {
    mode: "protected",
    instruction: "insw",
    trace: `
      pio in 0x1f0 u16 -> 0x9f3b
      hlt
      = mem 0xa041 u16 0x9f3b
      = rdi 0xa043
    `,
  },
  "long-insb-down": {
    mode: "long",
    instruction: "insb",
    down: true,
    trace: `
      pio in 0x1f0 u8 -> 0x9f
      hlt
      = mem 0xa041 u8 0x9f
      = rdi 0xa040
    `,
  },
  "long-insd": {
    mode: "long",
    instruction: "insd",
    trace: `
      pio in 0x1f0 u32 -> 0x9f3b5d71
      hlt
      = mem 0xa041 u32 0x9f3b5d71
      = rdi 0xa045
    `,
  },
  "real-outsb": {
    mode: "real",
    instruction: "outsb",
    trace: `
      pio out 0x1f0 u8 0x81
      hlt
      = rsi 0xb042
    `,
  },
  "real-outsd-down": {
    mode: "real",
    instruction: "outsd",
    down: true,
    trace: `
      pio out 0x1f0 u32 0x84838281
      hlt
      = rsi 0xb03d
    `,
  },
  "protected-outsw": {
    mode: "protected",
    instruction: "outsw",
    trace: `
      pio out 0x1f0 u16 0x8281
      hlt
      = rsi 0xb043
    `,
  },
  "long-outsb-down": {
    mode: "long",
    instruction: "outsb",
    down: true,
    trace: `
      pio out 0x1f0 u8 0x81
      hlt
      = rsi 0xb040
    `,
  },
  "long-outsd": {
    mode: "long",
    instruction: "outsd",
    trace: `
      pio out 0x1f0 u32 0x84838281
      hlt
      = rsi 0xb045
    `,
  },
};

/** Without REP, INS and OUTS move one element, step their own pointer once and leave the count. */
export default defineCases("pio/string-once", rows, ({ mode, instruction, down, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: INS", "SDM 2B: OUTS"],
  mode,
  machine: { rflags: { set: down ? ARITHMETIC_FLAGS | DIRECTION_FLAG : ARITHMETIC_FLAGS } },
  registers: {
    rax: 0x11223344n,
    rcx: 3n,
    rdx: portRegister(mode, 0x1f0),
    rsi: 0xb041n,
    rdi: 0xa041n,
  },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ write }) => write(0xb041, Uint8Array.of(0x81, 0x82, 0x83, 0x84)),
  trace,
}));
