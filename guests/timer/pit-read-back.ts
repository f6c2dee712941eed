import { asm, defineCase } from "../../mod.ts";

/** One read-back command latches the status of several channels; each is read once, and stays. */
export default defineCase({
  id: "timer/pit-read-back",
  spec: "Intel 8254: read-back command (multiple counters, latched until read)",
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 0x30                    ; channel 0: both bytes, mode 0
    out 0x43, al
    mov al, 0x54                    ; channel 1: low byte, mode 2
    out 0x43, al
    mov al, 0xb6                    ; channel 2: both bytes, mode 3
    out 0x43, al
    mov al, 0xee                    ; status of all three
    out 0x43, al
    mov al, 0x38                    ; another mode of channel 0 does not reach what is latched
    out 0x43, al
    in al, 0x40
    and al, 0x3f
    mov bl, al
    in al, 0x41
    and al, 0x3f
    mov cl, al
    in al, 0x42
    and al, 0x3f
    mov dl, al
    mov al, 0xe2
    out 0x43, al
    in al, 0x40
    and al, 0x3f
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.createPit(),
  trace: `
    > pit
    pio out 0xf4 u8 0x38
    = rax 0x38
    = rbx 0x30
    = rcx 0x14
    = rdx 0x36
    = rflags *
  `,
});
