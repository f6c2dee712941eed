import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { setup: string; outs: string; vector: 12 | 13; state: string }> = {
  "word-past-limit": {
    setup: "mov si, 0xffff",
    outs: "outsw",
    vector: 13,
    state: "= rsi 0xffff",
  },
  "dword-past-limit": {
    setup: "mov si, 0xfffd",
    outs: "outsd",
    vector: 13,
    state: "= rsi 0xfffd",
  },
  "pointer-past-limit": {
    setup: "mov esi, 0x10000",
    outs: "a32 outsb",
    vector: 13,
    state: "= rsi 0x10000",
  },
  "stack-segment": {
    setup: "mov si, 0xffff",
    outs: "ss outsw",
    vector: 12,
    state: "= rsi 0xffff",
  },
};

/** OUTS of bytes beyond a segment's limit faults (#SS through SS) and nothing reaches the port. */
export default defineCases("pio/outs-fault", rows, ({ setup, outs, vector, state }) => ({
  spec: ["SDM 2B: OUTS", "SDM 3B 21.1.1: address translation in real-address mode"],
  mode: "real",
  handlers: { [vector]: "fault" },
  registers: { rdx: 0x1f0n },
  guest: asm`
    ${setup}
    outs:
    ${outs}
    hlt
    fault:
    mov ebx, 1
    hlt
  `,
  trace: ({ outs }) => `
    hlt
    = rbx 0x1
    = rsp 0x7ffa
    = mem 0x7ffa u16 [${outs} 0x0 0x2]
    ${state}
  `,
}));
