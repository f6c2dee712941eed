import { asm, defineCases } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** KVM_X86_QUIRK_LINT0_REENABLED. */
const QUIRK = 1;
const LVT_LINT0 = 0x350;

const rows = {
  "default": { disabled: 0, lint0: 0x700 },
  "disabled": { disabled: QUIRK, lint0: 0x10000 },
  // Another one.
  "kept": { disabled: 2, lint0: 0x700 },
};

/** LINT0 of a vCPU that is new delivers the PIC's interrupts, or is masked as on a processor. */
export default defineCases("quirk/lint0", rows, ({ disabled, lint0 }) => ({
  spec: [
    "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_LINT0_REENABLED)",
    "SDM 3A 11.5.1: local vector table (reset value)",
  ],
  mode: "real",
  requires: ["KVM_CAP_IRQCHIP", { capability: "KVM_CAP_DISABLE_QUIRKS2", atLeast: 3 }],
  guest: asm`hlt`,
  drive: ({ assertEquals }) => {
    using vm = freshVm({ note: () => {} });
    vm.irq.createIrqchip();
    if (disabled !== 0) vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", disabled);
    const vcpu = vm.createVcpu();
    const page = new DataView(vcpu.lapic().buffer);
    assertEquals("LINT0", page.getUint32(LVT_LINT0, true), lint0);
  },
  trace: `hlt`,
}));
