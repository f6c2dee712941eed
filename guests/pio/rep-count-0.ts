import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS, type PortMode } from "./_machine.ts";

interface Row {
  readonly mode: PortMode;
  readonly instruction: string;
  readonly rcx: bigint;
  /** What RCX may be at the end, where that is not what it was. */
  readonly end?: string;
}

// A 32-bit count of 0 in 64-bit mode is not written; whether its register is zero-extended all the
// same, processors do not agree.
const either = "0xffffffff00000000|0x0";

const rows: Record<string, Row> = {
  "real-ins": { mode: "real", instruction: "rep insb", rcx: 0x7fff0000n },
  "real-outs": { mode: "real", instruction: "rep outsw", rcx: 0x7fff0000n },
  "real-a32-ins": { mode: "real", instruction: "a32 rep insw", rcx: 0n },
  "protected-ins": { mode: "protected", instruction: "rep insd", rcx: 0n },
  "protected-outs": { mode: "protected", instruction: "rep outsd", rcx: 0n },
  "protected-a16-ins": { mode: "protected", instruction: "a16 rep insb", rcx: 0x7fff0000n },
  "protected-a16-outs": { mode: "protected", instruction: "a16 rep outsb", rcx: 0x7fff0000n },
  "long-ins": { mode: "long", instruction: "rep insb", rcx: 0n },
  "long-outs": { mode: "long", instruction: "rep outsw", rcx: 0n },
  "long-a32-ins": {
    mode: "long",
    instruction: "a32 rep insb",
    rcx: 0xffffffff00000000n,
    end: either,
  },
  "long-a32-outs": {
    mode: "long",
    instruction: "a32 rep outsd",
    rcx: 0xffffffff00000000n,
    end: either,
  },
};

/** With a count of 0, by the address size, REP INS and REP OUTS do nothing: no exit, no change. */
export default defineCases("pio/rep-count-0", rows, ({ mode, instruction, rcx, end }) => ({
  spec: ["SDM 2A: INS", "SDM 2B: OUTS", "SDM 2B: REP"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rax: 0x7an, rcx, rdx: 0x1f0n, rsi: 0xb041n, rdi: 0xa041n },
  guest: asm`
    ${instruction}
    out 0x10, al
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x7a
    hlt
    ${end === undefined ? "" : `= rcx ${end}`}
  `,
}));
