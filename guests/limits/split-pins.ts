import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const rows = {
  "as-many": { more: 0, answer: "none" },
  "one-too-many": { more: 1, answer: "EINVAL" },
};

/** A split interrupt controller leaves user space at most as many pins as there are routes. */
export default defineCases("limits/split-pins", rows, ({ more, answer }) => ({
  spec: [
    "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP (args[0]: routes reserved for user space IOAPICs)",
    "asm/kvm_host.h: MAX_NR_RESERVED_IOAPIC_PINS is KVM_MAX_IRQ_ROUTES (6.1, 6.12)",
  ],
  mode: "real",
  requires: ["KVM_CAP_SPLIT_IRQCHIP", "KVM_CAP_IRQ_ROUTING"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    const pins = vm.checkExtension("KVM_CAP_IRQ_ROUTING") + more;
    const set = refusal(() => vm.enableCapability("KVM_CAP_SPLIT_IRQCHIP", pins));
    context.assertEquals("the answer", set, answer);
  },
  trace: `hlt`,
}));
