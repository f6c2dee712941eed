import { asm, defineCase } from "../../mod.ts";

/**
 * A port that an in-kernel device has does not exit: the guest sets the mask of the PIC at port 0x21,
 * reads it back by IN and by REP INS, and sets it by REP OUTS. AL alone changes of RAX.
 */
export default defineCase({
  id: "pio/in-kernel-device",
  spec: ["KVM API 4.24: KVM_CREATE_IRQCHIP", "SDM 2A: IN", "SDM 2A: INS", "SDM 2B: OUTS"],
  mode: "long",
  irqchip: "kernel",
  registers: { rax: 0x11223344556677a5n, rdx: 0x21n, rdi: 0xa000n, rsi: 0xb000n },
  guest: asm`
    out 0x21, al
    mov al, 0
    in al, 0x21
    mov rbx, rax
    mov ecx, 3
    rep insb
    mov ecx, 4
    rep outsb
    in al, dx
    out 0xf4, al
  `,
  drive: ({ write }) => write(0xb000, Uint8Array.of(0x11, 0x22, 0x33, 0x5a)),
  trace: `
    pio out 0xf4 u8 0x5a
    = rax 0x112233445566775a
    = rbx 0x11223344556677a5
    = rcx 0x0
    = rdi 0xa003
    = rsi 0xb004
    = mem 0xa000 u8 [0xa5 0xa5 0xa5]
  `,
});
