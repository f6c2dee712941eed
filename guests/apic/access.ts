import { asm, defineCases } from "../../mod.ts";

const rows = {
  // The registers are accessed as a whole, at multiples of 16: nothing else writes.
  byte: { instruction: "mov byte [rsi + 0x80], 0x30", left: 0x20 },
  word: { instruction: "mov word [rsi + 0x80], 0x30", left: 0x20 },
  quadword: { instruction: "mov qword [rsi + 0x80], 0x30", left: 0x20 },
  "off-by-4": { instruction: "mov dword [rsi + 0x84], 0x30", left: 0x20 },
  "off-by-12": { instruction: "mov dword [rsi + 0x8c], 0x30", left: 0x20 },
  dword: { instruction: "mov dword [rsi + 0x80], 0x30", left: 0x30 },
  exchange: { instruction: "mov ebx, 0x30\nxchg [rsi + 0x80], ebx\nmov ebx, 0", left: 0x30 },
  or: { instruction: "or dword [rsi + 0x80], 0x10\nmov ebx, 0\ncmp ebx, ebx", left: 0x30 },
};

/** Accesses to the local APIC's page that it does not define change nothing. */
export default defineCases("apic/access", rows, ({ instruction, left }) => ({
  spec:
    "SDM 3A 10.4.1: local APIC register address map (access by aligned 32-bit loads and stores)",
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0x80], 0x20
    ${instruction}
    mov eax, [rsi + 0x80]
    cmp esp, esp
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x${left.toString(16)}
    = rax 0x${left.toString(16)}
    = cr8 0x${(left >> 4).toString(16)}
    = rflags 0x46
  `,
}));
