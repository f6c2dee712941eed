import { asm, defineCases } from "../../mod.ts";

type Row = {
  instruction: string;
  registers: Record<string, bigint>;
  exit: string;
};

const rows: Record<string, Row> = {
  "base-index-scale-disp32": {
    instruction: "mov [rbx + rcx*8 + 0x12345678], dl",
    registers: { rbx: 0xb0000000n, rcx: 0x1001n },
    exit: "0xc234d680 u8 0x44",
  },
  "base-index-scale-disp8": {
    instruction: "mov [rbx + rcx*2 - 0x80], dx",
    registers: { rbx: 0xd0000100n, rcx: 0x21n },
    exit: "0xd00000c2 u16 0x3344",
  },
  "index-scale": {
    instruction: "mov [rcx*4 + 0x10000001], dl",
    registers: { rcx: 0x30000000n },
    exit: "0xd0000001 u8 0x44",
  },
  "negative-index": {
    instruction: "mov [rbx + rcx], dl",
    registers: { rbx: 0xd0001000n, rcx: 0xffffffffffffffffn },
    exit: "0xd0000fff u8 0x44",
  },
  "disp8-negative": {
    instruction: "mov [rbx - 0x80], edx",
    registers: { rbx: 0xd0000084n },
    exit: "0xd0000004 u32 0x11223344",
  },
  "disp8-positive": {
    instruction: "mov [rbx + 0x7f], dl",
    registers: { rbx: 0xd0000000n },
    exit: "0xd000007f u8 0x44",
  },
  "disp32-negative": {
    instruction: "mov [rbx - 0x10000000], dl",
    registers: { rbx: 0xe0000010n },
    exit: "0xd0000010 u8 0x44",
  },
  "base-rbp": {
    instruction: "mov [rbp], dl",
    registers: { rbp: 0xd0000020n },
    exit: "0xd0000020 u8 0x44",
  },
  "base-r12": {
    instruction: "mov [r12], dl",
    registers: { r12: 0xd0000021n },
    exit: "0xd0000021 u8 0x44",
  },
  "base-r13": {
    instruction: "mov [r13], dl",
    registers: { r13: 0xd0000022n },
    exit: "0xd0000022 u8 0x44",
  },
  "base-r14-index-r12": {
    instruction: "mov [r14 + r12*8 + 1], dl",
    registers: { r14: 0xd0000000n, r12: 0x10n },
    exit: "0xd0000081 u8 0x44",
  },
  "base-rsp": {
    instruction: "mov [rsp + 0x40000000], dl",
    registers: {},
    exit: "0x40008000 u8 0x44",
  },
  absolute: {
    instruction: "mov [abs 0x50000008], dx",
    registers: {},
    exit: "0x50000008 u16 0x3344",
  },
  "rip-relative": {
    instruction: "mov [rel 0x30000010], edx",
    registers: {},
    exit: "0x30000010 u32 0x11223344",
  },
  // The displacement counts from the end of the instruction, its immediate included.
  "rip-relative-imm32": {
    instruction: "mov dword [rel 0x30000010], 0x55667788",
    registers: {},
    exit: "0x30000010 u32 0x55667788",
  },
  "rip-relative-imm8": {
    instruction: "mov byte [rel 0x30000010], 0x99",
    registers: {},
    exit: "0x30000010 u8 0x99",
  },
  "address-size-32": {
    instruction: "mov [edi], dl",
    registers: { rdi: 0xffffffffd0000011n },
    exit: "0xd0000011 u8 0x44",
  },
  "address-size-32-wrap": {
    instruction: "mov [edi + ecx*4 + 0x20000000], dl",
    registers: { rdi: 0x1f0000000n, rcx: 0xffffffff00000003n },
    exit: "0x1000000c u8 0x44",
  },
};

/** Every form of address in 64-bit mode ends at the physical address that the SDM computes. */
export default defineCases("mmio/addressing-long", rows, ({ instruction, registers, exit }) => ({
  spec: ["SDM 1 3.7.5: specifying an offset", "SDM 2A 2.2.1: REX and RIP-relative addressing"],
  mode: "long",
  registers: { rdx: 0x11223344n, ...registers },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio write ${exit}
    hlt
  `,
}));
