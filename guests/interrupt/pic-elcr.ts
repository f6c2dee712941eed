import { asm, defineCase } from "../../mod.ts";

/** The edge/level control registers hold what is written, but IRQ 0, 1, 2, 8 and 13 stay edges. */
export default defineCase({
  id: "interrupt/pic-elcr",
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP", "82371SB: ELCR1 and ELCR2, edge/level control"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    mov dx, 0x4d0
    in al, dx                       ; after reset all are edges
    mov bl, al
    mov al, 0xff
    out dx, al
    in al, dx
    mov bh, al
    mov dx, 0x4d1
    in al, dx
    mov cl, al
    mov al, 0xff
    out dx, al
    in al, dx
    mov ch, al
    mov al, 0x12
    out dx, al
    mov dx, 0x4d0
    in al, dx                       ; the two do not share anything
    mov ah, al
    mov dx, 0x4d1
    in al, dx
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x12
    = rax 0xf812
    = rbx 0xf800
    = rcx 0xde00
    = rdx 0x4d1
  `,
});
