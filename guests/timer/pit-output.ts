import { asm, defineCases } from "../../mod.ts";

/** Waits for bit 7 (OUT) of channel 2's status to have a value, or gives up. */
const waitFor = (value: 0 | 1, label: string) => `
  mov ecx, 100000
  ${label}:
  mov al, 0xe8
  out 0x43, al
  in al, 0x42
  shr al, 7
  cmp al, ${value}
  je ${label}_done
  dec ecx
  jnz ${label}
  ${label}_done:
`;

const rows = {
  // Mode 0: low from the control word on, high when the count is through, and stays so.
  "mode-0": { control: 0xb0, count: 2, waits: [1, 1] },
  // Mode 3: a square wave.
  "mode-3": { control: 0xb6, count: 1000, waits: [0, 1, 0, 1] },
  // One clock high, one low.
  "mode-3-shortest": { control: 0xb6, count: 2, waits: [0, 1, 0, 1] },
} as const;

/** The output of a channel as the count goes on. */
export default defineCases("timer/pit-output", rows, ({ control, count, waits }) => ({
  spec: "Intel 8254: mode 0 (interrupt on terminal count), mode 3 (square wave)",
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 3
    out 0x61, al                    ; the gate of channel 2
    mov al, ${control}
    out 0x43, al
    mov al, ${count & 0xff}
    out 0x42, al
    mov al, ${count >> 8}
    out 0x42, al
    ${waits.map((value, number) => `${waitFor(value, `wait_${number}`)}\nout 0x10, al`).join("\n")}
    xor eax, eax
    xor ecx, ecx
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.createPit(1),
  trace: `
    > pit flags=0x1
    ${waits.map((value) => `pio out 0x10 u8 0x${value}`).join("\n")}
    pio out 0xf4 u8 0x0
    = rflags 0x46
  `,
}));
