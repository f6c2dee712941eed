import { asm, defineCase } from "../../mod.ts";

/** Ports beside those of the in-kernel PICs (0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1) are the host's. */
export default defineCase({
  id: "pio/beside-in-kernel-device",
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP", "KVM API 5: KVM_EXIT_IO"],
  mode: "protected",
  irqchip: "kernel",
  registers: { rax: 0x41n },
  guest: asm`
    out 0x1f, al
    out 0x22, al
    out 0x9f, al
    out 0xa2, al
    mov edx, 0x4cf
    out dx, al
    mov edx, 0x4d2
    out dx, al
    in al, 0x22
    out 0xf4, al
  `,
  trace: `
    pio out 0x1f u8 0x41
    pio out 0x22 u8 0x41
    pio out 0x9f u8 0x41
    pio out 0xa2 u8 0x41
    pio out 0x4cf u8 0x41
    pio out 0x4d2 u8 0x41
    pio in 0x22 u8 -> 0x77
    pio out 0xf4 u8 0x77
    = rax 0x77
    = rdx 0x4d2
  `,
});
