import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/** An answer of zero is an answer: it replaces what the register held. */
export default defineCases("pio/in-zero", modes, (mode) => ({
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: IN"],
  mode,
  registers: { rax: 0x55667788n },
  guest: asm`
    in al, 0x10
    mov ebx, eax
    in ax, 0x10
    mov esi, eax
    in eax, 0x10
    hlt
  `,
  trace: `
    pio in 0x10 u8 -> 0x0
    pio in 0x10 u16 -> 0x0
    pio in 0x10 u32 -> 0x0
    hlt
    = rax 0x0
    = rbx 0x55667700
    = rsi 0x55660000
  `,
}));
