import { asm, defineCases } from "../../mod.ts";

const rows = {
  physical: { high: 1, low: 0x51, self: false, other: true },
  "physical-absent": { high: 2, low: 0x51, self: false, other: false },
  "physical-broadcast": { high: 0xffffffff, low: 0x51, self: true, other: true },
  // Cluster 0, the second of its sixteen.
  logical: { high: 2, low: 0x851, self: false, other: true },
  "logical-both": { high: 3, low: 0x851, self: true, other: true },
  "shorthand-others": { high: 0, low: 0xc0051, self: false, other: true },
};

/** The same with both APICs in x2APIC mode. */
export default defineCases("smp/x2apic", rows, ({ high, low, self, other }) => ({
  spec: ["SDM 3A 10.12.9: ICR operation in x2APIC mode", "SDM 3A 10.12.10: destinations"],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  requires: [{ cpuid: "X2APIC" }],
  guest: asm`
    call enable
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    mov ecx, 0x830
    mov eax, ${low}
    mov edx, ${high}
    wrmsr
    mov byte [0xa001], 1
    mov ecx, 0x822
    rdmsr
    out 0x10, eax
    vcpu1:
    call enable
    mov byte [0xa000], 1
    sent:
    pause
    cmp byte [0xa001], 1
    jne sent
    mov ecx, 0x822
    rdmsr
    out 0x11, eax
    enable:
    mov ecx, 0x1b
    rdmsr
    or eax, 0x400
    wrmsr
    mov ecx, 0x80f
    mov eax, 0x1ff
    xor edx, edx
    wrmsr
    ret
  `,
  trace: `
    0: pio out 0x10 u32 ${self ? "0x20000" : "0x0"}
    1: pio out 0x11 u32 ${other ? "0x20000" : "0x0"}
    0: = rax ${self ? "0x20000" : "0x0"}
    1: = rax ${other ? "0x20000" : "0x0"}
    0: = rcx 0x822
    1: = rcx 0x822
    0: = rdx 0x0
    1: = rdx 0x0
    0: = rflags 0x46
    1: = rflags 0x46
    0: = apic-base 0xfee00d00
    1: = apic-base 0xfee00c00
    = mem 0xa000 u8 [0x1 0x1]
    = mem 0x7ff8 u64 *
    = mem 0x7bf8 u64 *
  `,
}));
