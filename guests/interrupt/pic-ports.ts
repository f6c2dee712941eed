import { asm, defineCase } from "../../mod.ts";

/** The chips answer at ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0 and 0x4d1; the neighbours leave the guest. */
export default defineCase({
  id: "interrupt/pic-ports",
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP", "KVM API 5: KVM_EXIT_IO"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    in al, 0x1f
    in al, 0x20
    mov bl, al
    in al, 0x21
    in al, 0x22
    in al, 0x9f
    in al, 0xa0
    in al, 0xa1
    mov bh, al
    in al, 0xa2
    mov dx, 0x4cf
    in al, dx
    mov dx, 0x4d0
    in al, dx
    mov dx, 0x4d1
    in al, dx
    mov cl, al
    mov dx, 0x4d2
    in al, dx
    out 0x1f, al
    out 0x22, al
    out 0xa2, al
    out 0xf4, al
  `,
  trace: `
    pio in 0x1f u8 -> 0x81
    pio in 0x22 u8 -> 0x82
    pio in 0x9f u8 -> 0x83
    pio in 0xa2 u8 -> 0x84
    pio in 0x4cf u8 -> 0x85
    pio in 0x4d2 u8 -> 0x86
    pio out 0x1f u8 0x86
    pio out 0x22 u8 0x86
    pio out 0xa2 u8 0x86
    pio out 0xf4 u8 0x86
    = rax 0x86
    = rdx 0x4d2
  `,
});
