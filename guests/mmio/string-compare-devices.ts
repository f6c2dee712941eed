import { asm, defineCase } from "../../mod.ts";

/**
 * CMPS of two devices reads the element at RSI, then the one at RDI, in each iteration, and compares
 * the first with the second.
 */
export default defineCase({
  id: "mmio/string-compare-devices",
  spec: ["SDM 2A: CMPS", "SDM 2B: REPE/REPNE", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: { rsi: 0xd0000080n, rdi: 0xd0000040n, rcx: 9n },
  guest: asm`
    repe cmpsw
    hlt
  `,
  trace: `
    mmio read 0xd0000080 u16 -> 0x7fff
    mmio read 0xd0000040 u16 -> 0x7fff
    mmio read 0xd0000082 u16 -> 0x7fff
    mmio read 0xd0000042 u16 -> 0x8000
    hlt
    = rsi 0xd0000084
    = rdi 0xd0000044
    = rcx 0x7
    = rflags 0x887
  `,
});
