import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; rsp: bigint; trace: string };

const rows: Record<string, Row> = {
  "push-u64": {
    instruction: "push qword [rdi]",
    rsp: 0xb010n,
    trace: `
      mmio read 0xd0000040 u64 -> 0x9abcdef180a0c0e1
      hlt
      = rsp 0xb008
      = mem 0xb008 u64 0x9abcdef180a0c0e1
    `,
  },
  "push-u16": {
    instruction: "push word [rdi]",
    rsp: 0xb010n,
    trace: `
      mmio read 0xd0000040 u16 -> 0x9abc
      hlt
      = rsp 0xb00e
      = mem 0xb00e u16 0x9abc
    `,
  },
  // The stack lies at the same offset of its page as the operand.
  "push-same-offset": {
    instruction: "push qword [rdi]",
    rsp: 0xb048n,
    trace: `
      mmio read 0xd0000040 u64 -> 0x9abcdef180a0c0e1
      hlt
      = rsp 0xb040
      = mem 0xb040 u64 0x9abcdef180a0c0e1
    `,
  },
  "pop-u64": {
    instruction: "pop qword [rdi]",
    rsp: 0xb000n,
    trace: `
      mmio write 0xd0000040 u64 0x8877665544332211
      hlt
      = rsp 0xb008
    `,
  },
  "pop-u16": {
    instruction: "pop word [rdi]",
    rsp: 0xb001n,
    trace: `
      mmio write 0xd0000040 u16 0x3322
      hlt
      = rsp 0xb003
    `,
  },
  "push-device-to-device": {
    instruction: "push qword [rdi]",
    rsp: 0xe0000100n,
    trace: `
      mmio read 0xd0000040 u64 -> 0x9abcdef180a0c0e1
      mmio write 0xe00000f8 u64 0x9abcdef180a0c0e1
      hlt
      = rsp 0xe00000f8
    `,
  },
  "pop-device-to-device": {
    instruction: "pop qword [rdi]",
    rsp: 0xe0000100n,
    trace: `
      mmio read 0xe0000100 u64 -> 0x9abcdef180a0c0e1
      mmio write 0xd0000040 u64 0x9abcdef180a0c0e1
      hlt
      = rsp 0xe0000108
    `,
  },
  // PUSH takes its operand's address before it moves RSP, POP after.
  "push-through-rsp": {
    instruction: "push qword [rsp + 8]",
    rsp: 0xd0000100n,
    trace: `
      mmio read 0xd0000108 u64 -> 0x9abcdef180a0c0e1
      mmio write 0xd00000f8 u64 0x9abcdef180a0c0e1
      hlt
      = rsp 0xd00000f8
    `,
  },
  "pop-through-rsp": {
    instruction: "pop qword [rsp + 8]",
    rsp: 0xd0000100n,
    trace: `
      mmio read 0xd0000100 u64 -> 0x9abcdef180a0c0e1
      mmio write 0xd0000110 u64 0x9abcdef180a0c0e1
      hlt
      = rsp 0xd0000108
    `,
  },
};

/** PUSH and POP of a memory operand access operand and stack once each, the source first. */
export default defineCases("mmio/stack-operand", rows, ({ instruction, rsp, trace }) => ({
  spec: ["SDM 2B: PUSH", "SDM 2B: POP", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rsp, rdi: 0xd0000040n },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ write }) =>
    write(0xb000, Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88)),
  trace,
}));
