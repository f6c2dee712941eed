/** Instructions that a hypervisor may have to carry out itself, each a step of its own. */

import type { Requirement } from "../../mod.ts";

/** One of them, in 64-bit mode at CPL 0. */
export interface Stepped {
  /** The instruction. */
  readonly instruction: string;
  /** The exits that it makes. */
  readonly exits?: string;
  /** What it changes, as lines of the trace. */
  readonly state?: string;
  readonly requires?: Requirement;
}

/** Registers that they start with: RDI is where no memory is, RSI and RBX where some is. */
export const registers = {
  rax: 0x11223344n,
  rbx: 0xa000n,
  rcx: 0x175n,
  rdx: 0n,
  rsi: 0xb000n,
  rdi: 0xd0000040n,
  rbp: 0x10000n,
};

/** By name; none changes an arithmetic flag. */
export const stepped: Readonly<Record<string, Stepped>> = {
  nop: { instruction: "nop" },
  "mov-memory": { instruction: "mov [rbx], eax", state: "= mem 0xa000 u32 0x11223344" },
  out: { instruction: "out 0x10, al", exits: "pio out 0x10 u8 0x44" },
  "out-dword": { instruction: "out 0x10, eax", exits: "pio out 0x10 u32 0x11223344" },
  in: { instruction: "in al, 0x10", exits: "pio in 0x10 u8 -> 0x9f", state: "= rax 0x1122339f" },
  "mmio-write": { instruction: "mov [rdi], eax", exits: "mmio write 0xd0000040 u32 0x11223344" },
  "mmio-read": {
    instruction: "mov eax, [rdi]",
    exits: "mmio read 0xd0000040 u32 -> 0x55667788",
    state: "= rax 0x55667788",
  },
  "mmio-exchange": {
    instruction: "xchg [rdi], eax",
    exits: "mmio read 0xd0000040 u32 -> 0x55667788\nmmio write 0xd0000040 u32 0x11223344",
    state: "= rax 0x55667788",
  },
  "mmio-to-memory": {
    instruction: "push qword [rdi]",
    exits: "mmio read 0xd0000040 u64 -> 0x1122334455667788",
    state: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x1122334455667788",
  },
  cpuid: { instruction: "cpuid", state: "= rax *\n= rbx *\n= rcx *\n= rdx *" },
  rdmsr: { instruction: "rdmsr", state: "= rax 0x0" },
  wrmsr: { instruction: "wrmsr", state: "= msr.0x175 0x11223344" },
  rdtsc: { instruction: "rdtsc", state: "= rax *\n= rdx *" },
  "mov-from-cr0": { instruction: "mov rax, cr0", state: "= rax 0x80010031" },
  "mov-from-cr3": { instruction: "mov rax, cr3", state: "= rax 0x10000" },
  "mov-to-cr3": { instruction: "mov cr3, rbp" },
  "mov-from-cr8": { instruction: "mov rax, cr8", state: "= rax 0x0" },
  "mov-to-cr8": { instruction: "mov cr8, rdx" },
  clts: { instruction: "clts" },
  smsw: { instruction: "smsw eax", state: "= rax 0x80010031" },
  "mov-from-dr0": { instruction: "mov rax, dr0", state: "= rax 0x0" },
  "mov-to-dr0": { instruction: "mov dr0, rbx", state: "= dr0 0xa000" },
  wbinvd: { instruction: "wbinvd" },
  invlpg: { instruction: "invlpg [rbx]" },
  sgdt: {
    instruction: "sgdt [rbx]",
    state: "= mem 0xa000 u8 [0xff 0x0 0x0 0x10 0x0 0x0 0x0 0x0 0x0 0x0]",
  },
  sldt: { instruction: "sldt eax", state: "= rax 0x0" },
  str: { instruction: "str eax", state: "= rax 0x68" },
  swapgs: { instruction: "swapgs" },
  pause: { instruction: "pause" },
};
