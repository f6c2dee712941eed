import { asm, defineCases } from "../../mod.ts";

const [FIXED, LOGICAL] = [0x51, 0x851];

const rows: Record<string, { high: number; low: number; arrives: boolean }> = {
  "physical-self": { high: 0, low: FIXED, arrives: true },
  "physical-other": { high: 1, low: FIXED, arrives: false },
  // 0xff is an id as any other here.
  "physical-255": { high: 0xff, low: FIXED, arrives: false },
  "physical-broadcast": { high: 0xffffffff, low: FIXED, arrives: true },
  "shorthand-self": { high: 5, low: FIXED | 0x40000, arrives: true },
  "shorthand-all": { high: 5, low: FIXED | 0x80000, arrives: true },
  "shorthand-others": { high: 0, low: FIXED | 0xc0000, arrives: false },
  // Cluster 0, of which this is the first.
  "logical-self": { high: 1, low: LOGICAL, arrives: true },
  "logical-among-others": { high: 0xffff, low: LOGICAL, arrives: true },
  "logical-others": { high: 0xfffe, low: LOGICAL, arrives: false },
  "logical-other-cluster": { high: 0x10001, low: LOGICAL, arrives: false },
  "logical-broadcast": { high: 0xffffffff, low: LOGICAL, arrives: true },
};

/** In x2APIC mode one write of the ICR sends, and the destination is 32 bits. */
export default defineCases("apic/x2apic-destination", rows, ({ high, low, arrives }) => ({
  spec: ["SDM 3A 10.12.9: ICR operation in x2APIC mode", "SDM 3A 10.12.10: destinations"],
  mode: "long",
  irqchip: "kernel",
  requires: [{ cpuid: "X2APIC" }],
  guest: asm`
    mov ecx, 0x1b
    mov eax, 0xfee00d00
    xor edx, edx
    wrmsr
    mov ecx, 0x80f
    mov eax, 0x1ff
    wrmsr
    mov ecx, 0x830
    mov eax, ${low}
    mov edx, ${high}
    wrmsr
    mov eax, 0
    mov edx, 0
    rdmsr
    mov esi, eax
    mov edi, edx
    mov ecx, 0x822
    rdmsr
    mov ebx, eax
    mov eax, 0
    out 0xf4, al
  `,
  trace: `
    pio out 0xf4 u8 0x0
    = rbx ${arrives ? "0x20000" : "0x0"}
    = rcx 0x822
    = rsi 0x${low.toString(16)}
    = rdi 0x${high.toString(16)}
    = rflags 0x46
    = apic-base 0xfee00d00
  `,
}));
