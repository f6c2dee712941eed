import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; guest: string; state: string }> = {
  // LMSW changes PE, MP, EM and TS alone: the rest of AX is ignored.
  "lmsw-flags": {
    mode: "protected",
    guest: "mov eax, 0xffff000f\nlmsw ax",
    state: "= rax 0xffff000f\n= cr0 0x3f",
  },
  "lmsw-high-bits": {
    mode: "protected",
    guest: "mov eax, 0xfff1\nlmsw ax",
    state: "= rax 0xfff1\n= cr0 0x31",
  },
  // PE can be set and not cleared.
  "lmsw-clear": {
    mode: "protected",
    guest: "mov eax, 0xe\nlmsw ax\nxor eax, eax\nlmsw ax",
    state: "= cr0 0x31\n= rflags 0x46",
  },
  "lmsw-protect": {
    mode: "real",
    guest: "mov ax, 1\nlmsw ax",
    // Which type CS has in real mode is the processor's own affair (data at reset, SDM 3A 9.1.4).
    state: "= rax 0x1\n= cr0 0x11\n= cs.access 0x93|0x9b",
  },
  "lmsw-memory": {
    mode: "protected",
    guest: "mov word [0xa000], 0xb\nlmsw [0xa000]",
    state: "= cr0 0x3b\n= mem 0xa000 u16 0xb",
  },
  clts: {
    mode: "protected",
    guest: "mov eax, cr0\nor eax, 0xa\nmov cr0, eax\nclts",
    state: "= rax 0x3b\n= cr0 0x33\n= rflags *",
  },
  // A register gets CR0's low half, and in 32-bit and 64-bit code more of it; memory 16 bits.
  "smsw-memory": {
    mode: "protected",
    guest: "smsw [0xa001]",
    state: "= mem 0xa000 u8 [0x0 0x31 0x0 0x0]",
  },
  "smsw-register": {
    mode: "protected",
    guest: "mov eax, -1\nsmsw ax",
    state: "= rax 0xffff0031",
  },
  "smsw-long": { mode: "long", guest: "smsw rax", state: "= rax 0x80010031" },
};

/** LMSW, SMSW and CLTS work on CR0 without an exit. */
export default defineCases("exit/machine-status-word", rows, ({ mode, guest, state }) => ({
  spec: ["SDM 2A: CLTS, LMSW", "SDM 2B: SMSW"],
  mode,
  guest: asm`
    ${guest}
    hlt
  `,
  trace: `
    hlt
    ${state}
  `,
}));
