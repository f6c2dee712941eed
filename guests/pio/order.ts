import { asm, defineCase } from "../../mod.ts";

/** Accesses to neighbouring and overlapping ports come one by one, in program order, unmerged. */
export default defineCase({
  id: "pio/order",
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.6: ordering I/O"],
  mode: "protected",
  registers: { rax: 0x44332211n, rdx: 0x13n },
  guest: asm`
    out 0x10, al
    out 0x11, al
    out 0x10, al
    out 0x10, ax
    out 0x11, ax
    in al, 0x12
    out 0x12, al
    in al, 0x12
    out 0x10, eax
    in eax, 0x10
    out dx, ax
    in ax, dx
    out 0x13, al
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x11
    pio out 0x11 u8 0x11
    pio out 0x10 u8 0x11
    pio out 0x10 u16 0x2211
    pio out 0x11 u16 0x2211
    pio in 0x12 u8 -> 0xa1
    pio out 0x12 u8 0xa1
    pio in 0x12 u8 -> 0xa2
    pio out 0x10 u32 0x443322a2
    pio in 0x10 u32 -> 0xd4c3b2a1
    pio out 0x13 u16 0xb2a1
    pio in 0x13 u16 -> 0xf6e5
    pio out 0x13 u8 0xe5
    hlt
    = rax 0xd4c3f6e5
  `,
});
