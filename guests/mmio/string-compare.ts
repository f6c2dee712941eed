import { asm, defineCases } from "../../mod.ts";
import { DIRECTION_FLAG } from "./_machine.ts";

type Row = {
  instruction: string;
  flags?: bigint;
  rsi?: bigint;
  rcx: bigint;
  trace: string;
};

const rows: Record<string, Row> = {
  // AL is 0xa8.
  "scas-u8-repne-found": {
    instruction: "repne scasb",
    rcx: 5n,
    trace: `
      mmio read 0xd0000040 u8 -> 0x1
      mmio read 0xd0000041 u8 -> 0xa9
      mmio read 0xd0000042 u8 -> 0xa8
      hlt
      = rdi 0xd0000043
      = rcx 0x2
      = rflags 0x46
    `,
  },
  "scas-u8-repne-exhausted": {
    instruction: "repne scasb",
    rcx: 2n,
    trace: `
      mmio read 0xd0000040 u8 -> 0x1
      mmio read 0xd0000041 u8 -> 0xa9
      hlt
      = rdi 0xd0000042
      = rcx 0x0
      = rflags 0x97
    `,
  },
  "scas-u32-repe-differs": {
    instruction: "repe scasd",
    flags: DIRECTION_FLAG,
    rcx: 5n,
    trace: `
      mmio read 0xd0000040 u32 -> 0xa5a6a7a8
      mmio read 0xd000003c u32 -> 0xa5a6a7a7
      hlt
      = rdi 0xd0000038
      = rcx 0x3
      = rflags 0x402
    `,
  },
  "scas-u16": {
    instruction: "scasw",
    rcx: 5n,
    trace: `
      mmio read 0xd0000040 u16 -> 0xa7a8
      hlt
      = rdi 0xd0000042
      = rflags 0x46
    `,
  },
  "scas-u64-last": {
    instruction: "repne scasq",
    rcx: 1n,
    trace: `
      mmio read 0xd0000040 u64 -> 0xa1a2a3a4a5a6a7a8
      hlt
      = rdi 0xd0000048
      = rcx 0x0
      = rflags 0x46
    `,
  },
  // At 0xb000 lie 0x11, 0x22, 0x33 and 0x44.
  "cmps-memory-device-repe-differs": {
    instruction: "repe cmpsb",
    rsi: 0xb000n,
    rcx: 5n,
    trace: `
      mmio read 0xd0000040 u8 -> 0x11
      mmio read 0xd0000041 u8 -> 0x22
      mmio read 0xd0000042 u8 -> 0x34
      hlt
      = rsi 0xb003
      = rdi 0xd0000043
      = rcx 0x2
      = rflags 0x97
    `,
  },
  "cmps-memory-device-repe-exhausted": {
    instruction: "repe cmpsw",
    rsi: 0xb000n,
    rcx: 2n,
    trace: `
      mmio read 0xd0000040 u16 -> 0x2211
      mmio read 0xd0000042 u16 -> 0x4433
      hlt
      = rsi 0xb004
      = rdi 0xd0000044
      = rcx 0x0
      = rflags 0x46
    `,
  },
  "cmps-repne-zero": { instruction: "repne cmpsb", rcx: 0n, trace: "hlt" },
};

/**
 * REPE and REPNE end at the first iteration that decides, with RCX counted for it; the flags are
 * those of the last comparison.
 */
export default defineCases("mmio/string-compare", rows, ({ instruction, flags = 0n, ...row }) => ({
  spec: ["SDM 2B: SCAS", "SDM 2A: CMPS", "SDM 2B: REPE/REPNE", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: 0x895n | flags } },
  registers: { rsi: row.rsi ?? 0n, rdi: 0xd0000040n, rcx: row.rcx, rax: 0xa1a2a3a4a5a6a7a8n },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ write }) => write(0xb000, Uint8Array.of(0x11, 0x22, 0x33, 0x44)),
  trace: row.trace,
}));
