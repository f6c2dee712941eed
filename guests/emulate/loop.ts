import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  instruction: string;
  rcx: bigint;
  flags: bigint;
  taken: boolean;
  left: bigint;
}

const rows: Record<string, Row> = {
  "loop-taken": { instruction: "loop taken", rcx: 2n, flags: 0x8d7n, taken: true, left: 1n },
  "loop-ended": { instruction: "loop taken", rcx: 1n, flags: 0x2n, taken: false, left: 0n },
  "loop-wraps": {
    instruction: "loop taken",
    rcx: 0n,
    flags: 0x2n,
    taken: true,
    left: 0xffffffffffffffffn,
  },
  // With 32-bit addresses ECX counts, and the upper half of RCX becomes 0.
  "loop-ecx-taken": {
    instruction: "db 0x67, 0xe2, taken - behind",
    rcx: 0x1122334400000002n,
    flags: 0x2n,
    taken: true,
    left: 1n,
  },
  "loop-ecx-ended": {
    instruction: "db 0x67, 0xe2, taken - behind",
    rcx: 0x1122334400000001n,
    flags: 0x2n,
    taken: false,
    left: 0n,
  },
  "loope-equal": { instruction: "loope taken", rcx: 2n, flags: 0x42n, taken: true, left: 1n },
  "loope-unequal": { instruction: "loope taken", rcx: 2n, flags: 0x897n, taken: false, left: 1n },
  "loope-ended": { instruction: "loope taken", rcx: 1n, flags: 0x42n, taken: false, left: 0n },
  "loopne-unequal": { instruction: "loopne taken", rcx: 2n, flags: 0x897n, taken: true, left: 1n },
  "loopne-equal": { instruction: "loopne taken", rcx: 2n, flags: 0x42n, taken: false, left: 1n },
  "loopne-ended": { instruction: "loopne taken", rcx: 1n, flags: 0x2n, taken: false, left: 0n },
  "jrcxz-zero": { instruction: "jrcxz taken", rcx: 0n, flags: 0x2n, taken: true, left: 0n },
  "jrcxz-high": {
    instruction: "jrcxz taken",
    rcx: 0x100000000n,
    flags: 0x2n,
    taken: false,
    left: 0x100000000n,
  },
  "jecxz-high": {
    instruction: "jecxz taken",
    rcx: 0x100000000n,
    flags: 0x42n,
    taken: true,
    left: 0x100000000n,
  },
  "jecxz-low": { instruction: "jecxz taken", rcx: 1n, flags: 0x42n, taken: false, left: 1n },
};

/** LOOP counts RCX or ECX down and changes no flag; JRCXZ and JECXZ only look. */
export default defineCases("emulate/loop", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2A: Jcc (JECXZ, JRCXZ)", "SDM 2B: LOOP, LOOPcc"],
  mode: "long",
  requires: way.requires,
  machine: { rflags: { set: row.flags } },
  registers: { rcx: row.rcx },
  guest: asm`
    ${way.prefix}
    ${row.instruction}
    behind:
    mov bl, 1
    hlt
    taken:
    mov bl, 2
    hlt
  `,
  trace: `
    hlt
    = rbx ${row.taken ? "0x2" : "0x1"}
    = rcx 0x${row.left.toString(16)}
  `,
}));
