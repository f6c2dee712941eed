import { asm, defineCases } from "../../mod.ts";

type Row = {
  instruction: string;
  rax: bigint;
  read: string;
  written: string;
  rflags: string;
  after: string;
};

const rows: Record<string, Row> = {
  "u8-equal": {
    instruction: "cmpxchg [rdi], dl",
    rax: 0xa1a2a3a4a5a6a7a8n,
    read: "u8 -> 0xa8",
    written: "u8 0xd8",
    rflags: "0x46",
    after: "0xa1a2a3a4a5a6a7a8",
  },
  "u8-unequal": {
    instruction: "cmpxchg [rdi], dl",
    rax: 0xa1a2a3a4a5a6a701n,
    read: "u8 -> 0x2",
    written: "u8 0x2",
    rflags: "0x97",
    after: "0xa1a2a3a4a5a6a702",
  },
  "u16-equal": {
    instruction: "cmpxchg [rdi], dx",
    rax: 0xa1a2a3a4a5a6a7a8n,
    read: "u16 -> 0xa7a8",
    written: "u16 0xd7d8",
    rflags: "0x46",
    after: "0xa1a2a3a4a5a6a7a8",
  },
  "u16-unequal": {
    instruction: "cmpxchg [rdi], dx",
    rax: 0xa1a2a3a4a5a68000n,
    read: "u16 -> 0x1",
    written: "u16 0x1",
    rflags: "0x816",
    after: "0xa1a2a3a4a5a60001",
  },
  // On equality RAX is no destination, so its upper half stays.
  "u32-equal": {
    instruction: "cmpxchg [rdi], edx",
    rax: 0xa1a2a3a4a5a6a7a8n,
    read: "u32 -> 0xa5a6a7a8",
    written: "u32 0xd5d6d7d8",
    rflags: "0x46",
    after: "0xa1a2a3a4a5a6a7a8",
  },
  "u32-unequal": {
    instruction: "cmpxchg [rdi], edx",
    rax: 0xa1a2a3a400000001n,
    read: "u32 -> 0x2",
    written: "u32 0x2",
    rflags: "0x97",
    after: "0x2",
  },
  "u64-equal": {
    instruction: "cmpxchg [rdi], rdx",
    rax: 0xa1a2a3a4a5a6a7a8n,
    read: "u64 -> 0xa1a2a3a4a5a6a7a8",
    written: "u64 0xd1d2d3d4d5d6d7d8",
    rflags: "0x46",
    after: "0xa1a2a3a4a5a6a7a8",
  },
  "u64-unequal": {
    instruction: "cmpxchg [rdi], rdx",
    rax: 0xa1a2a3a4a5a6a7a8n,
    read: "u64 -> 0xa1a2a3a5a5a6a7a8",
    written: "u64 0xa1a2a3a5a5a6a7a8",
    rflags: "0x87",
    after: "0xa1a2a3a5a5a6a7a8",
  },
  "lock-u32-unequal": {
    instruction: "lock cmpxchg [rdi], edx",
    rax: 0xa1a2a3a400000001n,
    read: "u32 -> 0x2",
    written: "u32 0x2",
    rflags: "0x97",
    after: "0x2",
  },
  "lock-u64-equal": {
    instruction: "lock cmpxchg [rdi], rdx",
    rax: 0xa1a2a3a4a5a6a7a8n,
    read: "u64 -> 0xa1a2a3a4a5a6a7a8",
    written: "u64 0xd1d2d3d4d5d6d7d8",
    rflags: "0x46",
    after: "0xa1a2a3a4a5a6a7a8",
  },
};

/**
 * CMPXCHG writes once whatever the comparison says: the source when equal, the value it read when
 * not; then that value goes to the accumulator as well.
 */
export default defineCases(
  "mmio/cmpxchg",
  rows,
  ({ instruction, rax, read, written, rflags, after }) => ({
    spec: ["SDM 2A: CMPXCHG", "KVM API 5: KVM_EXIT_MMIO"],
    mode: "long",
    registers: { rdi: 0xd0000040n, rax, rdx: 0xd1d2d3d4d5d6d7d8n },
    guest: asm`
      ${instruction}
      hlt
    `,
    trace: `
      mmio read 0xd0000040 ${read}
      mmio write 0xd0000040 ${written}
      hlt
      = rflags ${rflags}
      = rax ${after}
    `,
  }),
);
