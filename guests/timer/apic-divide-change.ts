import { asm, defineCases } from "../../mod.ts";

// By 2 to others, and by 128.
const changes = {
  "2-to-1": [0x0, 0xb],
  "2-to-4": [0x0, 0x1],
  "2-to-16": [0x0, 0x3],
  "2-to-128": [0x0, 0xa],
  "128-to-2": [0xa, 0x0],
  "128-to-32": [0xa, 0x8],
  "128-to-64": [0xa, 0x9],
} as const;
const modes = { "one-shot": 0x10071, periodic: 0x30071 };

const rows: Record<string, { lvt: number; from: number; divide: number }> = {};
for (const [mode, lvt] of Object.entries(modes)) {
  for (const [change, [from, divide]] of Object.entries(changes)) {
    rows[`${mode}-${change}`] = { lvt, from, divide };
  }
}

/** Another divider while the timer runs leaves the current count as it is, and it goes on down. */
export default defineCases("timer/apic-divide-change", rows, ({ lvt, from, divide }) => ({
  spec: "SDM 3A 10.5.4: APIC timer, divide configuration register",
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x320], ${lvt}
    mov dword [rsi + 0x3e0], ${from}
    mov dword [rsi + 0x380], 0xfffffff0
    mov ebx, [rsi + 0x390]          ; before
    mov dword [rsi + 0x3e0], ${divide}
    mov ecx, [rsi + 0x390]          ; behind
    mov ebp, [rsi + 0x380]          ; the initial count stays
    mov edx, [rsi + 0x3e0]
    mov dword [rsi + 0x380], 0
    cmp ecx, ebx
    setbe al                        ; down
    out 0x10, al
    cmp ecx, 0x80000000
    setae al                        ; but far from its end
    out 0x11, al
    mov dword [rsi + 0x380], 0xfffffff0
    mov ebx, [rsi + 0x390]
    again:
    mov ecx, [rsi + 0x390]
    cmp ecx, ebx
    je again
    setb al                         ; it goes on
    out 0x12, al
    mov dword [rsi + 0x380], 0
    mov eax, 0
    mov ebx, 0
    mov ecx, 0
    cmp eax, eax
    out 0xf4, al
  `,
  trace: `
    pio out 0x10 u8 0x1
    pio out 0x11 u8 0x1
    pio out 0x12 u8 0x1
    pio out 0xf4 u8 0x0
    = rbp 0xfffffff0
    = rdx 0x${divide.toString(16)}
    = rflags 0x46
  `,
}));
