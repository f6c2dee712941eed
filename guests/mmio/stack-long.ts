import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; exit: string; state: string };

const rows: Record<string, Row> = {
  "push-u64": {
    instruction: "push rdx",
    exit: "write 0xd00000f8 u64 0xd1d2d3d4d5d6d7d8",
    state: "= rsp 0xd00000f8",
  },
  "push-u16": {
    instruction: "push dx",
    exit: "write 0xd00000fe u16 0xd7d8",
    state: "= rsp 0xd00000fe",
  },
  "push-imm8": {
    instruction: "push -2",
    exit: "write 0xd00000f8 u64 0xfffffffffffffffe",
    state: "= rsp 0xd00000f8",
  },
  "push-imm32": {
    instruction: "push 0x12345678",
    exit: "write 0xd00000f8 u64 0x12345678",
    state: "= rsp 0xd00000f8",
  },
  "push-rsp": {
    instruction: "push rsp",
    exit: "write 0xd00000f8 u64 0xd0000100",
    state: "= rsp 0xd00000f8",
  },
  "push-fs": {
    instruction: "push fs",
    exit: "write 0xd00000f8 u64 0x30",
    state: "= rsp 0xd00000f8",
  },
  pushfq: {
    instruction: "pushfq",
    exit: "write 0xd00000f8 u64 0x8d7",
    state: "= rsp 0xd00000f8",
  },
  "pop-u64": {
    instruction: "pop rdx",
    exit: "read 0xd0000100 u64 -> 0x9abcdef180a0c0e1",
    state: "= rsp 0xd0000108\n= rdx 0x9abcdef180a0c0e1",
  },
  "pop-u16": {
    instruction: "pop dx",
    exit: "read 0xd0000100 u16 -> 0x9abc",
    state: "= rsp 0xd0000102\n= rdx 0xd1d2d3d4d5d69abc",
  },
  "pop-rsp": {
    instruction: "pop rsp",
    exit: "read 0xd0000100 u64 -> 0x7f00",
    state: "= rsp 0x7f00",
  },
  popfq: {
    instruction: "popfq",
    exit: "read 0xd0000100 u64 -> 0x402",
    state: "= rsp 0xd0000108\n= rflags 0x402",
  },
  leave: {
    instruction: "mov rbp, rsp\nmov rsp, 0x7000\nleave",
    exit: "read 0xd0000100 u64 -> 0x9abcdef180a0c0e1",
    state: "= rsp 0xd0000108\n= rbp 0x9abcdef180a0c0e1",
  },
  enter: {
    instruction: "mov rbp, rdx\nenter 0x20, 0",
    exit: "write 0xd00000f8 u64 0xd1d2d3d4d5d6d7d8",
    state: "= rsp 0xd00000d8\n= rbp 0xd00000f8",
  },
};

/** A push writes below RSP once and then has RSP there; a pop reads at RSP once and moves it up. */
export default defineCases("mmio/stack-long", rows, ({ instruction, exit, state }) => ({
  spec: ["SDM 2B: PUSH, PUSHF, POP, POPF", "SDM 2A: ENTER, LEAVE", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rsp: 0xd0000100n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio ${exit}
    hlt
    ${state}
  `,
}));
