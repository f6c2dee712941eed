import { asm, defineCases } from "../../mod.ts";

const rows: Record<
  string,
  { instruction: string; rsi: bigint; rcx: bigint; sent: string; state: string; error: string }
> = {
  "not-present": {
    instruction: "outsb",
    rsi: 0xc000n,
    rcx: 5n,
    sent: "",
    state: "= cr2 0xc000",
    error: "0x0",
  },
  "second-page-not-present": {
    instruction: "outsd",
    rsi: 0xbffen,
    rcx: 5n,
    sent: "",
    state: "= cr2 0xc000",
    error: "0x0",
  },
  "not-canonical": {
    instruction: "outsb",
    rsi: 0x800000000000n,
    rcx: 5n,
    sent: "",
    state: "",
    error: "0x0",
  },
  // What went out before stays out, and the registers stand at the element that faults.
  "rep-outsb": {
    instruction: "rep outsb",
    rsi: 0xbffdn,
    rcx: 5n,
    sent: "pio out 0x1f0 u8 [0x81 0x82 0x83]",
    state: "= cr2 0xc000\n= rsi 0xc000\n= rcx 0x2",
    error: "0x0",
  },
  "rep-outsd": {
    instruction: "rep outsd",
    rsi: 0xbffan,
    rcx: 5n,
    sent: "pio out 0x1f0 u32 [0x81000000]",
    state: "= cr2 0xc000\n= rsi 0xbffe\n= rcx 0x4",
    error: "0x0",
  },
};

/**
 * OUTS from where it cannot read faults before the port sees anything; of a REP OUTS each element
 * before the fault is out once, and RCX and RSI stand at the one that faults.
 */
export default defineCases(
  "pio/outs-fault-64-bit",
  rows,
  ({ instruction, rsi, rcx, sent, state, error }) => ({
    spec: ["SDM 2B: OUTS", "SDM 2B: REP", "SDM 3A 6.15: interrupts 13 and 14"],
    mode: "long",
    machine: { map: [{ virtual: 0xc000, physical: 0xc000, present: false }] },
    handlers: { 13: "fault", 14: "fault" },
    registers: { rcx, rdx: 0x1f0n, rsi },
    guest: asm`
      ${instruction}
      hlt
      fault:
      mov ebx, 1
      hlt
    `,
    drive: ({ write }) => write(0xbffd, Uint8Array.of(0x81, 0x82, 0x83)),
    trace: `
      ${sent}
      hlt
      = rbx 0x1
      = rsp 0x7fd0
      = mem 0x7fd0 u64 [${error} 0x8000 0x28 0x10002 0x8000 0x30]
      ${state}
    `,
  }),
);
