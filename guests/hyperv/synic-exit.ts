import { asm, defineCases } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

const rows = {
  zeroed: { capability: "KVM_CAP_HYPERV_SYNIC", enabled: "hyperv-synic", kept: "" },
  kept: {
    capability: "KVM_CAP_HYPERV_SYNIC2",
    enabled: "hyperv-synic2",
    kept: "= mem 0xb000 u8 0x5a\n= mem 0xcfff u8 0x5b",
  },
} as const;

/**
 * A guest that moves its pages of events and messages, or switches them on, tells the host of all
 * three; KVM clears the pages, unless KVM_CAP_HYPERV_SYNIC2 says that it does not.
 */
export default defineCases("hyperv/synic-exit", rows, ({ capability, enabled, kept }) => ({
  spec: [
    "KVM API 5: KVM_EXIT_HYPERV (KVM_EXIT_HYPERV_SYNIC)",
    "KVM API 8.2: KVM_CAP_HYPERV_SYNIC",
    "KVM API 8.11: KVM_CAP_HYPERV_SYNIC2",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, capability],
  ...underHyperv({
    guest: asm`
      mov byte [0xb000], 0x5a
      mov byte [0xcfff], 0x5b
      xor eax, eax
      xor edx, edx
      mov ecx, 0x40000080             ; SCONTROL
      wrmsr
      mov ecx, 0x40000082             ; SIEFP
      mov eax, 0xb001
      wrmsr
      mov ecx, 0x40000083             ; SIMP
      mov eax, 0xc001
      wrmsr
      mov ecx, 0x40000080
      mov eax, 1
      wrmsr
      mov ecx, 0x40000083
      mov eax, 0xc000
      wrmsr
      out 0xf4, al
    `,
    trace: `
      > enable ${enabled}
      hyperv-synic 0x40000080 control=0x0 siefp=0x0 simp=0x0
      hyperv-synic 0x40000082 control=0x0 siefp=0xb001 simp=0x0
      hyperv-synic 0x40000083 control=0x0 siefp=0xb001 simp=0xc001
      hyperv-synic 0x40000080 control=0x1 siefp=0xb001 simp=0xc001
      hyperv-synic 0x40000083 control=0x1 siefp=0xb001 simp=0xc000
      pio out 0xf4 u8 0x0
      = rax 0xc000
      = rcx 0x40000083
      = rdx 0x0
      = rflags 0x46
      ${kept}
    `,
  }, ({ vcpu }) => vcpu.enableCapability(capability)),
}));
