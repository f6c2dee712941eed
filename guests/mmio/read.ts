import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS, hole } from "./_machine.ts";

type Row = { mode: ModeName; register: string; answer: string; rdx: string };

const sizes = {
  u8: { register: "dl", answer: "u8 -> 0x9a", rdx: "0x7788cc9a" },
  u16: { register: "dx", answer: "u16 -> 0x9abc", rdx: "0x77889abc" },
  u32: { register: "edx", answer: "u32 -> 0x9abcdef1", rdx: "0x9abcdef1" },
};

const modes: readonly ModeName[] = ["real", "protected", "paged", "pae"];

const rows: Record<string, Row> = {
  "long-u8": { mode: "long", register: "dl", answer: "u8 -> 0x9a", rdx: "0x112233447788cc9a" },
  "long-u16": { mode: "long", register: "dx", answer: "u16 -> 0x9abc", rdx: "0x1122334477889abc" },
  "long-u32": { mode: "long", register: "edx", answer: "u32 -> 0x9abcdef1", rdx: "0x9abcdef1" },
  "long-u64": {
    mode: "long",
    register: "rdx",
    answer: "u64 -> 0x9abcdef180a0c0e1",
    rdx: "0x9abcdef180a0c0e1",
  },
};
for (const mode of modes) {
  for (const [size, row] of Object.entries(sizes)) rows[`${mode}-${size}`] = { mode, ...row };
}

/**
 * A load where no slot is exits once and takes the host's bytes; a byte or a word leaves the rest of
 * the register, a doubleword clears the upper half of a 64-bit one.
 */
export default defineCases("mmio/read", rows, ({ mode, register, answer, rdx }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "SDM 2B: MOV", "SDM 1 3.4.1.1: registers in 64-bit mode"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: {
    rdi: hole[mode].rdi,
    rdx: mode === "long" ? 0x112233447788ccddn : 0x7788ccddn,
  },
  guest: asm`
    ${hole[mode].reach}
    mov ${register}, [${hole[mode].operand}]
    lea ecx, [ecx + 1]              ; counts how often the guest came by
    hlt
    halted:
  `,
  trace: ({ halted }) => `
    mmio read ${hole[mode].address} ${answer}
    hlt
    = rdx ${rdx}
    = rcx 0x1
    = rip ${halted}
    ${hole[mode].state}
  `,
}));
