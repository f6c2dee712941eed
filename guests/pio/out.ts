import { asm, defineCases } from "../../mod.ts";
import { accumulator, ARITHMETIC_FLAGS, type PortMode, portRegister } from "./_machine.ts";

const rows: Record<string, { mode: PortMode; instruction: string; exit: string }> = {
  "real-imm8-8": { mode: "real", instruction: "out 0xfe, al", exit: "0xfe u8 0xe8" },
  "real-imm8-16": { mode: "real", instruction: "out 0xfe, ax", exit: "0xfe u16 0xc7e8" },
  "real-imm8-32": { mode: "real", instruction: "out 0xfe, eax", exit: "0xfe u32 0x85a6c7e8" },
  "real-dx-8": { mode: "real", instruction: "out dx, al", exit: "0xfedc u8 0xe8" },
  "real-dx-16": { mode: "real", instruction: "out dx, ax", exit: "0xfedc u16 0xc7e8" },
  "real-dx-32": { mode: "real", instruction: "out dx, eax", exit: "0xfedc u32 0x85a6c7e8" },
  "protected-imm8-8": { mode: "protected", instruction: "out 0xfe, al", exit: "0xfe u8 0xe8" },
  "protected-imm8-16": { mode: "protected", instruction: "out 0xfe, ax", exit: "0xfe u16 0xc7e8" },
  "protected-imm8-32": {
    mode: "protected",
    instruction: "out 0xfe, eax",
    exit: "0xfe u32 0x85a6c7e8",
  },
  "protected-dx-8": { mode: "protected", instruction: "out dx, al", exit: "0xfedc u8 0xe8" },
  "protected-dx-16": { mode: "protected", instruction: "out dx, ax", exit: "0xfedc u16 0xc7e8" },
  "protected-dx-32": {
    mode: "protected",
    instruction: "out dx, eax",
    exit: "0xfedc u32 0x85a6c7e8",
  },
  "long-imm8-8": { mode: "long", instruction: "out 0xfe, al", exit: "0xfe u8 0xe8" },
  "long-imm8-16": { mode: "long", instruction: "out 0xfe, ax", exit: "0xfe u16 0xc7e8" },
  "long-imm8-32": { mode: "long", instruction: "out 0xfe, eax", exit: "0xfe u32 0x85a6c7e8" },
  "long-dx-8": { mode: "long", instruction: "out dx, al", exit: "0xfedc u8 0xe8" },
  "long-dx-16": { mode: "long", instruction: "out dx, ax", exit: "0xfedc u16 0xc7e8" },
  "long-dx-32": { mode: "long", instruction: "out dx, eax", exit: "0xfedc u32 0x85a6c7e8" },
};

/**
 * OUT gives AL, AX or EAX, no more, to a port of 16 bits: the immediate zero-extended, or DX without
 * what lies above it. No register and no flag changes.
 */
export default defineCases("pio/out", rows, ({ mode, instruction, exit }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2B: OUT"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rax: accumulator[mode], rdx: portRegister(mode, 0xfedc) },
  guest: asm`
    ${instruction}
    hlt
    halted:
  `,
  trace: ({ halted }) => `
    pio out ${exit}
    hlt
    = rip ${halted}
  `,
}));
