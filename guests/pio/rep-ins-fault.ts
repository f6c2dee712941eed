import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, {
  instruction: string;
  start: bigint;
  answers: string;
  stored: string;
  last: string;
}> = {
  insb: {
    instruction: "rep insb",
    start: 0xbffdn,
    answers: "u8 -> [0x81 0x12 0xf3 0x64 0x95]",
    stored: "0xbffd u8 [0x81 0x12 0xf3]",
    last: "0xd000 u8 0x64|0x95",
  },
  insd: {
    instruction: "rep insd",
    start: 0xbff4n,
    answers: "u32 -> [0x81808384 0x12131415 0xf3e3d3c3 0x64758697 0x95a5b5c5]",
    stored: "0xbff4 u32 [0x81808384 0x12131415 0xf3e3d3c3]",
    last: "0xd000 u32 0x64758697|0x95a5b5c5",
  },
};

/**
 * When the fourth of four elements of REP INS faults, three are stored, RCX is 1 and RDI stands at the
 * element that faults. At most that element was read in vain: the host answers five, and the guest
 * takes the fifth where INS, restarted elsewhere by the handler, did not need it.
 */
export default defineCases(
  "pio/rep-ins-fault",
  rows,
  ({ instruction, start, answers, stored, last }) => ({
    spec: ["SDM 2A: INS", "SDM 2B: REP", "SDM 3A 6.15: interrupt 14"],
    mode: "long",
    machine: { map: [{ virtual: 0xc000, physical: 0xc000, present: false }] },
    handlers: { 14: "fault" },
    registers: { rcx: 4n, rdx: 0x1f0n, rdi: start },
    guest: asm`
      ${instruction}
      cmp byte [0xd000], 0x95
      je done
      cmp byte [0xd000], 0xc5
      je done
      mov ecx, 1
      mov edi, 0xe000
      ${instruction}
      done:
      mov edi, 0
      mov dword [0xe000], 0
      cmp eax, eax
      hlt
      fault:
      inc ebx
      mov rsi, rdi
      mov rbp, rcx
      mov edi, 0xd000
      add rsp, 8
      ret 32
    `,
    trace: `
      pio in 0x1f0 ${answers}
      hlt
      = mem ${stored}
      = mem ${last}
      = mem 0x7fd0 u64 [0x2 0x8000 0x28 0x10002 0x8000 0x30]
      = rbx 0x1
      = rbp 0x1
      = rsi 0xc000
      = rcx 0x0
      = rdi 0x0
      = rflags 0x46
      = cr2 0xc000
    `,
  }),
);
