import { asm, defineCases } from "../../mod.ts";

type Row = { instruction: string; trace: (labels: { behind: string; target: string }) => string };

const rows: Record<string, Row> = {
  retf: {
    instruction: "retf",
    trace: ({ target }) => `
      mmio read 0xd0000100 u32 -> ${target}
      mmio read 0xd0000104 u32 -> 0x8
      hlt
      = rbx 0xb2
      = rsp 0xd0000108
    `,
  },
  pushad: {
    instruction: "pushad\njmp target",
    trace: () => `
      mmio write 0xd00000fc u32 0xa1
      mmio write 0xd00000f8 u32 0xc1
      mmio write 0xd00000f4 u32 0xd1
      mmio write 0xd00000f0 u32 0xb1
      mmio write 0xd00000ec u32 0xd0000100
      mmio write 0xd00000e8 u32 0xb9
      mmio write 0xd00000e4 u32 0x51
      mmio write 0xd00000e0 u32 0xd9
      hlt
      = rbx 0xb2
      = rsp 0xd00000e0
    `,
  },
  popad: {
    instruction: "popad\njmp target",
    trace: () => `
      mmio read 0xd0000100 u32 -> 0xd9d9
      mmio read 0xd0000104 u32 -> 0x5151
      mmio read 0xd0000108 u32 -> 0xb9b9
      mmio read 0xd0000110 u32 -> 0xb1b1
      mmio read 0xd0000114 u32 -> 0xd1d1
      mmio read 0xd0000118 u32 -> 0xc1c1
      mmio read 0xd000011c u32 -> 0xa1a1
      hlt
      = rdi 0xd9d9
      = rsi 0x5151
      = rbp 0xb9b9
      = rbx 0xb1b2
      = rdx 0xd1d1
      = rcx 0xc1c1
      = rax 0xa1a1
      = rsp 0xd0000120
    `,
  },
  "call-far": {
    instruction: "call 0x8:target",
    trace: ({ behind }) => `
      mmio write 0xd00000fc u32 0x8
      mmio write 0xd00000f8 u32 ${behind}
      hlt
      = rbx 0xb2
      = rsp 0xd00000f8
    `,
  },
};

/** An instruction that pushes or pops several values makes one access for each, in its order. */
export default defineCases("mmio/stack-multiple", rows, ({ instruction, trace }) => ({
  spec: ["SDM 2B: PUSHA, POPA, RET", "SDM 2A: CALL", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "protected",
  registers: {
    rsp: 0xd0000100n,
    rax: 0xa1n,
    rcx: 0xc1n,
    rdx: 0xd1n,
    rbx: 0xb1n,
    rbp: 0xb9n,
    rsi: 0x51n,
    rdi: 0xd9n,
  },
  guest: asm`
    ${instruction}
    behind:
    mov bl, 0xb3
    hlt
    target:
    mov bl, 0xb2
    hlt
  `,
  trace: ({ behind, target }) => trace({ behind, target }),
}));
