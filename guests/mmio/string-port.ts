import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

const rows = {
  "ins-u8": {
    instruction: "insb",
    trace: `
      pio in 0x1f0 u8 -> 0x9a
      mmio write 0xd0000040 u8 0x9a
      hlt
      = rdi 0xd0000041
    `,
  },
  "ins-u32": {
    instruction: "insd",
    trace: `
      pio in 0x1f0 u32 -> 0x9abcdef1
      mmio write 0xd0000040 u32 0x9abcdef1
      hlt
      = rdi 0xd0000044
    `,
  },
  "outs-u8": {
    instruction: "outsb",
    trace: `
      mmio read 0xd0000080 u8 -> 0x9a
      pio out 0x1f0 u8 0x9a
      hlt
      = rsi 0xd0000081
    `,
  },
  "outs-u16": {
    instruction: "outsw",
    trace: `
      mmio read 0xd0000080 u16 -> 0x9abc
      pio out 0x1f0 u16 0x9abc
      hlt
      = rsi 0xd0000082
    `,
  },
};

/** INS to a device and OUTS from one: one access to the port, one to the device. */
export default defineCases("mmio/string-port", rows, ({ instruction, trace }) => ({
  spec: ["SDM 2A: INS", "SDM 2B: OUTS", "KVM API 5: KVM_EXIT_IO, KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rdx: 0x1f0n, rsi: 0xd0000080n, rdi: 0xd0000040n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace,
}));
