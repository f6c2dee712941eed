import { asm, defineCases } from "../../mod.ts";
import { without } from "../_cpuid.ts";

const rows = {
  "monitor-default": { quirks: 0, instruction: "monitor", fault: false },
  "mwait-default": { quirks: 0, instruction: "mwait", fault: false },
  "monitor-disabled": { quirks: 0x40, instruction: "monitor", fault: true },
  "mwait-disabled": { quirks: 0x40, instruction: "mwait", fault: true },
};

/**
 * MONITOR and MWAIT that CPUID does not show are #UD; with KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS they do
 * nothing instead.
 */
export default defineCases("quirk/monitor", rows, ({ quirks, instruction, fault }) => ({
  spec: [
    "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)",
    "SDM 2B: MONITOR, MWAIT (#UD)",
  ],
  mode: "long",
  requires: [{ capability: "KVM_CAP_DISABLE_QUIRKS2", atLeast: 0x40 }],
  handlers: { 6: "handler" },
  registers: { rax: 0xa000n },
  guest: asm`
    faulting:
    ${instruction}
    mov bl, 1
    hlt
    handler:
    mov bl, 2
    hlt
  `,
  drive: ({ vm, vcpu }) => {
    vcpu.setCpuid(without(1, 0, "ecx", 3));
    if (quirks !== 0) vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", quirks);
  },
  trace: ({ faulting }) => `
    > set-cpuid
    ${quirks === 0 ? "" : "> enable disable-quirks2 0x40"}
    hlt
    ${
    fault
      ? `= rbx 0x2\n= rsp 0x7fd8\n= mem 0x7fd8 u64 [${faulting} 0x28 0x10002 0x8000 0x30]`
      : "= rbx 0x1"
  }
  `,
}));
