import { asm, defineCases } from "../../mod.ts";

const rows = {
  // In mode 2 the count goes from the initial one down to 1 and round.
  "mode-2-low-byte": { control: 0x94, write: [0x40], reads: 1, highest: 0x40 },
  "mode-2-both-bytes": { control: 0xb4, write: [0x34, 0x12], reads: 2, highest: 0x1234 },
  // The high byte alone: the low one is 0.
  "mode-2-high-byte": { control: 0xa4, write: [0x12], reads: 1, highest: 0x12 },
} as const;

/** Two hundred latched counts of a periodic channel lie in its range, and not all are the same. */
export default defineCases("timer/pit-count", rows, ({ control, write, reads, highest }) => ({
  spec: "Intel 8254: counter latch command; mode 2 (rate generator)",
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 1
    out 0x61, al
    mov al, ${control}
    out 0x43, al
    ${write.map((byte) => `mov al, ${byte}\nout 0x42, al`).join("\n")}
    mov ecx, 200
    mov esi, 0x10000                ; lowest
    mov edi, 0                      ; highest
    next:
    mov al, 0x80                    ; latch channel 2
    out 0x43, al
    xor edx, edx
    in al, 0x42
    mov dl, al
    ${reads === 2 ? "in al, 0x42\nmov dh, al" : ""}
    cmp edx, esi
    cmovb esi, edx
    cmp edx, edi
    cmova edi, edx
    dec ecx
    jnz next
    cmp edi, ${highest}
    seta al
    out 0x10, al                    ; never above
    cmp esi, edi
    setb al
    out 0x11, al                    ; but counting
    xor eax, eax
    xor edx, edx
    xor esi, esi
    xor edi, edi
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.createPit(1),
  trace: `
    > pit flags=0x1
    pio out 0x10 u8 0x0
    pio out 0x11 u8 0x1
    pio out 0xf4 u8 0x0
    = rflags 0x46
  `,
}));
