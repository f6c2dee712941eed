import { asm, defineCases, ioctl, type Vm } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const rows: Record<string, { make: (vm: Vm) => void; use: string; unknown: string }> = {
  none: { make: () => {}, use: "ENXIO", unknown: "ENXIO" },
  split: {
    make: (vm) => vm.enableCapability("KVM_CAP_SPLIT_IRQCHIP", 24),
    use: "ENXIO",
    unknown: "ENXIO",
  },
  kernel: { make: (vm) => vm.irq.createIrqchip(), use: "none", unknown: "EINVAL" },
};

/** The state of PICs and IOAPIC is there with a whole in-kernel interrupt controller alone. */
export default defineCases("system/irqchip-refused", rows, ({ make, use, unknown }, name) => ({
  spec: ["KVM API 4.26, 4.27: KVM_GET_IRQCHIP, KVM_SET_IRQCHIP", "KVM API 7.5: split irqchip"],
  mode: "real",
  requires: ["KVM_CAP_IRQCHIP", ...(name === "split" ? ["KVM_CAP_SPLIT_IRQCHIP" as const] : [])],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    make(vm);
    const state = new Uint8Array(512);
    // struct kvm_irqchip with the number of no chip.
    const third = new Uint8Array(520);
    third[0] = 3;
    context.assertEquals("answers", {
      get: (["pic-master", "pic-slave", "ioapic"] as const).map((chip) =>
        refusal(() => vm.irq.chipState(chip))
      ),
      set: refusal(() => vm.irq.setChipState("pic-slave", state)),
      "get another": refusal(() => ioctl(vm, "KVM_GET_IRQCHIP", third)),
      "set another": refusal(() => ioctl(vm, "KVM_SET_IRQCHIP", third)),
    }, {
      get: [use, use, use],
      set: use,
      "get another": unknown,
      "set another": unknown,
    });
  },
  trace: `hlt`,
}));
