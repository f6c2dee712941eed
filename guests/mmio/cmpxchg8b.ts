import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = {
  mode: ModeName;
  instruction: string;
  read: string;
  written: string;
  state: string;
};

const equal = {
  read: "0xd1d2d3d4a1a2a3a4",
  written: "0xc1c2c3c4b1b2b3b4",
  state: "= rflags 0x8d7",
};
const unequal = {
  read: "0xd1d2d3d4a1a2a3a5",
  written: "0xd1d2d3d4a1a2a3a5",
  state: "= rflags 0x897\n= rax 0xa1a2a3a5\n= rdx 0xd1d2d3d4",
};
const unequalHigh = {
  read: "0x51d2d3d4a1a2a3a4",
  written: "0x51d2d3d4a1a2a3a4",
  state: "= rflags 0x897\n= rax 0xa1a2a3a4\n= rdx 0x51d2d3d4",
};

const rows: Record<string, Row> = {
  "protected-equal": { mode: "protected", instruction: "cmpxchg8b [edi]", ...equal },
  "protected-unequal": { mode: "protected", instruction: "cmpxchg8b [edi]", ...unequal },
  "protected-lock-equal": { mode: "protected", instruction: "lock cmpxchg8b [edi]", ...equal },
  "long-equal": { mode: "long", instruction: "cmpxchg8b [rdi]", ...equal },
  "long-unequal": { mode: "long", instruction: "cmpxchg8b [rdi]", ...unequal },
  "long-unequal-high": { mode: "long", instruction: "cmpxchg8b [rdi]", ...unequalHigh },
  "long-lock-unequal": { mode: "long", instruction: "lock cmpxchg8b [rdi]", ...unequal },
};

/**
 * CMPXCHG8B reads 8 bytes and writes 8 bytes whatever the comparison says, and of the flags changes
 * ZF alone.
 */
export default defineCases(
  "mmio/cmpxchg8b",
  rows,
  ({ mode, instruction, read, written, state }) => ({
    spec: ["SDM 2A: CMPXCHG8B", "KVM API 5: KVM_EXIT_MMIO"],
    mode,
    requires: [{ cpuid: "CX8" }],
    // All arithmetic flags, but ZF the other way round than it will be.
    machine: { rflags: { set: state.startsWith("= rflags 0x8d7") ? 0x895n : ARITHMETIC_FLAGS } },
    registers: {
      rdi: 0xd0000040n,
      // In 64-bit mode the upper halves are no part of the comparison, and a load clears them.
      rax: mode === "long" ? 0x77777777a1a2a3a4n : 0xa1a2a3a4n,
      rdx: mode === "long" ? 0x77777777d1d2d3d4n : 0xd1d2d3d4n,
      rbx: mode === "long" ? 0x77777777b1b2b3b4n : 0xb1b2b3b4n,
      rcx: mode === "long" ? 0x77777777c1c2c3c4n : 0xc1c2c3c4n,
    },
    guest: asm`
      ${instruction}
      hlt
    `,
    trace: `
      mmio read 0xd0000040 u64 -> ${read}
      mmio write 0xd0000040 u64 ${written}
      hlt
      ${state}
    `,
  }),
);
