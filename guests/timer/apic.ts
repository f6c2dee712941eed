import { asm, defineCases } from "../../mod.ts";

interface Row {
  guest: string;
  interrupts: number;
  /** An interrupt frame is left below the stack's top. */
  frame?: true;
}

const rows: Record<string, Row> = {
  periodic: {
    guest: `
      mov dword [rsi + 0x320], 0x20071
      mov dword [rsi + 0x380], 0x1000000
      wait:
      sti
      hlt
      cli
      cmp ebx, 3
      jb wait
      mov dword [rsi + 0x380], 0
      mov ebx, 3                    ; or more
    `,
    interrupts: 3,
    frame: true,
  },
  "divided-by-128": {
    guest: `
      mov dword [rsi + 0x3e0], 0xa
      mov dword [rsi + 0x320], 0x71
      mov dword [rsi + 0x380], 0x1000
      sti
      hlt
      cli
    `,
    interrupts: 1,
    frame: true,
  },
  // Some half a second, and all of it 128 times faster then.
  "divided-while-it-runs": {
    guest: `
      mov dword [rsi + 0x3e0], 0xa
      mov dword [rsi + 0x320], 0x71
      mov dword [rsi + 0x380], 0x400000
      mov dword [rsi + 0x3e0], 0xb
      sti
      wait:
      pause
      cmp ebx, 1
      jne wait
      cli
    `,
    interrupts: 1,
    frame: true,
  },
  // A count of 0 stops it.
  stopped: {
    guest: `
      mov dword [rsi + 0x320], 0x71
      mov dword [rsi + 0x380], 0x7fffffff
      mov dword [rsi + 0x380], 0
      mov eax, [rsi + 0x390]
      out 0x10, eax
    `,
    interrupts: 0,
  },
  // A masked timer counts down and says nothing.
  masked: {
    guest: `
      mov dword [rsi + 0x320], 0x10071
      mov dword [rsi + 0x380], 0x1000
      wait:
      mov eax, [rsi + 0x390]
      test eax, eax
      jnz wait
      sti
      nop
      cli
      mov eax, [rsi + 0x230]
      out 0x10, eax
    `,
    interrupts: 0,
  },
  // Running: less than the initial count is left, and more than none.
  running: {
    guest: `
      mov dword [rsi + 0x320], 0x71
      mov dword [rsi + 0x3e0], 0xa
      mov dword [rsi + 0x380], 0x7fffffff
      wait:
      mov eax, [rsi + 0x390]
      cmp eax, 0x7fffffff
      je wait
      setb al
      movzx eax, al
      out 0x10, eax
      mov dword [rsi + 0x380], 0
    `,
    interrupts: 0,
  },
  // Another initial count starts it anew.
  restarted: {
    guest: `
      mov dword [rsi + 0x320], 0x71
      mov dword [rsi + 0x380], 0x7fffffff
      mov dword [rsi + 0x380], 0x1000
      sti
      hlt
      cli
    `,
    interrupts: 1,
    frame: true,
  },
};

/** The local APIC's timer in its one-shot and periodic modes. */
export default defineCases("timer/apic", rows, ({ guest, interrupts, frame }, name) => ({
  spec: "SDM 3A 10.5.4: APIC timer",
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x3e0], 0xb
    ${guest}
    xor eax, eax
    out 0xf4, al
    handler:
    inc ebx
    mov dword [rsi + 0xb0], 0
    iretq
  `,
  trace: `
    ${/out 0x10/.test(guest) ? `pio out 0x10 u32 ${name === "running" ? "0x1" : "0x0"}` : ""}
    pio out 0xf4 u8 0x0
    = rbx 0x${interrupts}
    = rflags 0x46
    ${frame ? "= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]" : ""}
  `,
}));
