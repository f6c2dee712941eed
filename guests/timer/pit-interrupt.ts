import { asm, defineCases } from "../../mod.ts";

const rows = {
  "mode-0-once": { control: 0x30, count: 0x0100, interrupts: 1 },
  "mode-4-once": { control: 0x38, count: 0x0100, interrupts: 1 },
  "mode-2-periodic": { control: 0x34, count: 0x4000, interrupts: 3 },
  "mode-3-periodic": { control: 0x36, count: 0x4000, interrupts: 3 },
  // The low byte alone, and the high byte alone.
  "low-byte": { control: 0x10, count: 0x80, interrupts: 1 },
  "high-byte": { control: 0x20, count: 0x01, interrupts: 1 },
};

/** Channel 0 raises IRQ 0 at the end of its count, once or again and again. */
export default defineCases("timer/pit-interrupt", rows, ({ control, count, interrupts }) => ({
  spec: ["Intel 8254: modes 0, 2, 3, 4", "KVM API 4.71: KVM_CREATE_PIT2"],
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  handlers: { 0x20: "handler" },
  guest: asm`
    mov al, 0x11                    ; the PIC, at vector 0x20
    out 0x20, al
    mov al, 0x20
    out 0x21, al
    mov al, 0x04
    out 0x21, al
    mov al, 0x01
    out 0x21, al
    mov al, 0xfe
    out 0x21, al
    mov al, ${control}
    out 0x43, al
    mov al, ${count & 0xff}
    out 0x40, al
    ${control >> 4 === 3 ? `mov al, ${count >> 8}\nout 0x40, al` : ""}
    wait:
    sti
    hlt
    cli
    cmp ebx, ${interrupts}
    jb wait
    mov al, 0xff                    ; mask
    out 0x21, al
    mov ebx, ${interrupts}                    ; or more
    xor eax, eax
    out 0xf4, al
    handler:
    inc ebx
    mov al, 0x20
    out 0x20, al
    iretq
  `,
  drive: ({ vm }) => vm.irq.createPit(),
  trace: `
    > pit
    pio out 0xf4 u8 0x0
    = rbx 0x${interrupts.toString(16)}
    = rflags 0x46
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
}));
