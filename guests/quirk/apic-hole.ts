import { asm, defineCases } from "../../mod.ts";

const rows = {
  default: { quirks: 0, exits: "" },
  disabled: {
    quirks: 4,
    exits: `
      mmio write 0xfee00080 u32 0x30
      mmio read 0xfee00080 u32 -> 0x55667788
    `,
  },
};

/**
 * In x2APIC mode the page of the local APIC is memory as any other: with
 * KVM_X86_QUIRK_LAPIC_MMIO_HOLE KVM ignores writes and reads all ones.
 */
export default defineCases("quirk/apic-hole", rows, ({ quirks, exits }) => ({
  spec: "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_LAPIC_MMIO_HOLE)",
  mode: "long",
  irqchip: "kernel",
  requires: ["KVM_CAP_DISABLE_QUIRKS2", { cpuid: "X2APIC" }],
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov ecx, 0x1b
    mov eax, 0xfee00d00
    xor edx, edx
    wrmsr
    out 0x10, al
    mov dword [rsi + 0x80], 0x30
    mov eax, [rsi + 0x80]
    mov ecx, 0x808                  ; the TPR is as it was
    mov ebx, eax
    rdmsr
    out 0xf4, al
  `,
  drive: ({ vm, run }) => {
    run();
    if (quirks !== 0) vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", quirks);
  },
  trace: `
    pio out 0x10 u8 0x0
    ${quirks === 0 ? "" : "> enable disable-quirks2 0x4"}
    ${exits}
    pio out 0xf4 u8 0x0
    = rax 0x0
    = rbx ${quirks === 0 ? "0xffffffff" : "0x55667788"}
    = rcx 0x808
    = rflags 0x46
    = apic-base 0xfee00d00
  `,
}));
