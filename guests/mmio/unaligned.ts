import { asm, defineCases } from "../../mod.ts";

const rows = {
  "write-u16": { instruction: "mov [rdi + 1], dx", exit: "write 0xd0000041 u16 0xd7d8", state: "" },
  "write-u32": {
    instruction: "mov [rdi + 3], edx",
    exit: "write 0xd0000043 u32 0xd5d6d7d8",
    state: "",
  },
  "write-u64": {
    instruction: "mov [rdi + 7], rdx",
    exit: "write 0xd0000047 u64 0xd1d2d3d4d5d6d7d8",
    state: "",
  },
  "write-u64-end-of-page": {
    instruction: "mov [rdi + 0xfb8], rdx",
    exit: "write 0xd0000ff8 u64 0xd1d2d3d4d5d6d7d8",
    state: "",
  },
  "read-u16": {
    instruction: "mov dx, [rdi + 1]",
    exit: "read 0xd0000041 u16 -> 0x9abc",
    state: "= rdx 0xd1d2d3d4d5d69abc",
  },
  "read-u32": {
    instruction: "mov edx, [rdi + 2]",
    exit: "read 0xd0000042 u32 -> 0x9abcdef1",
    state: "= rdx 0x9abcdef1",
  },
  "read-u64": {
    instruction: "mov rdx, [rdi + 5]",
    exit: "read 0xd0000045 u64 -> 0x9abcdef180a0c0e1",
    state: "= rdx 0x9abcdef180a0c0e1",
  },
};

/** An access that is not aligned but stays in its page exits once, with its address and size. */
export default defineCases("mmio/unaligned", rows, ({ instruction, exit, state }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO (a load or store of the appropriate width)", "SDM 1 4.1.1"],
  mode: "long",
  registers: { rdi: 0xd0000040n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio ${exit}
    hlt
    ${state}
  `,
}));
