import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Addresses of the page, and of another than IA32_APIC_BASE says.
  "as-it-was": { base: 0xfee00000, elsewhere: 0xfeb00000 },
  moved: { base: 0xfeb00000, elsewhere: 0xfee00000 },
  "next-page": { base: 0xfee01000, elsewhere: 0xfee00000 },
};

/** The local APIC's page is where IA32_APIC_BASE says, and nowhere else. */
export default defineCases("apic/relocated", rows, ({ base, elsewhere }) => ({
  spec: ["SDM 3A 10.4.5: relocating the local APIC registers"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: BigInt(base), rdi: BigInt(elsewhere) },
  guest: asm`
    mov ecx, 0x1b
    mov eax, ${base + 0x900}
    xor edx, edx
    wrmsr
    mov dword [rsi + 0x80], 0x20
    mov ebx, [rsi + 0x80]
    mov ebp, [rdi + 0x80]
    mov dword [rsi + 0x80], 0
    mov eax, 0
    out 0xf4, al
  `,
  trace: `
    mmio read 0x${(elsewhere + 0x80).toString(16)} u32 -> 0x12345678
    pio out 0xf4 u8 0x0
    = rbx 0x20
    = rbp 0x12345678
    = rcx 0x1b
    = rflags 0x46
    = cr8 0x0
    = apic-base 0x${(base + 0x900).toString(16)}
  `,
}));
