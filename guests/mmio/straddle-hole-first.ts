import { asm, defineCases, type ModeName } from "../../mod.ts";

type Row = { mode: ModeName; instruction: string; trace: string };

const rows: Record<string, Row> = {
  "write-u16": {
    mode: "long",
    instruction: "mov [rdi - 1], dx",
    trace: `
      mmio write 0xd0000fff u8 [0xd8]
      hlt
      = mem 0xd0001000 u8 0xd7
    `,
  },
  "write-u64": {
    mode: "long",
    instruction: "mov [rdi - 3], rdx",
    trace: `
      mmio write 0xd0000ffd u8 [0xd8 0xd7 0xd6]
      hlt
      = mem 0xd0001000 u8 [0xd5 0xd4 0xd3 0xd2 0xd1]
    `,
  },
  "read-u32": {
    mode: "long",
    instruction: "mov edx, [rdi - 2]",
    trace: `
      mmio read 0xd0000ffe u8 -> [0x9a 0xbc]
      hlt
      = rdx 0x2211bc9a
    `,
  },
  "read-u64": {
    mode: "long",
    instruction: "mov rdx, [rdi - 1]",
    trace: `
      mmio read 0xd0000fff u8 -> [0x9a]
      hlt
      = rdx 0x776655443322119a
    `,
  },
  "add-u32": {
    mode: "long",
    instruction: "add [rdi - 1], edx",
    trace: `
      mmio read 0xd0000fff u8 -> [0x99]
      mmio write 0xd0000fff u8 [0x71]
      hlt
      = mem 0xd0001000 u8 [0xe9 0xf8 0x8]
      = rflags 0x17
    `,
  },
  "xchg-u32": {
    mode: "long",
    instruction: "xchg [rdi - 2], edx",
    trace: `
      mmio read 0xd0000ffe u8 -> [0x9a 0xbc]
      mmio write 0xd0000ffe u8 [0xd8 0xd7]
      hlt
      = mem 0xd0001000 u8 [0xd6 0xd5]
      = rdx 0x2211bc9a
    `,
  },
  "protected-write-u32": {
    mode: "protected",
    instruction: "mov [edi - 1], edx",
    trace: `
      mmio write 0xd0000fff u8 [0xd8]
      hlt
      = mem 0xd0001000 u8 [0xd7 0xd6 0xd5]
    `,
  },
};

/** An access that begins where no slot is and ends in memory: the bytes of each go where they belong. */
export default defineCases("mmio/straddle-hole-first", rows, ({ mode, instruction, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode,
  registers: {
    rdi: 0xd0001000n,
    rdx: mode === "long" ? 0xd1d2d3d4d5d6d7d8n : 0xd5d6d7d8n,
  },
  guest: asm`
    ${instruction}
    hlt
  `,
  drive: ({ vm, write }) => {
    vm.memory.addRam(0xd0001000, 0x1000);
    write(0xd0001000, Uint8Array.of(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88));
  },
  trace: `
    > slot 0x1 gpa=0xd0001000 size=0x1000
    ${trace}
  `,
}));
