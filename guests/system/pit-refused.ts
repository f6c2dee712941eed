import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const rows = {
  "without-irqchip": { irqchip: false, made: false, create: "ENOENT", use: "ENXIO" },
  "not-made": { irqchip: true, made: false, create: "none", use: "ENXIO" },
  "made-twice": { irqchip: true, made: true, create: "EEXIST", use: "none" },
};

/** There is one PIT, it needs the interrupt controller, and its state needs it. */
export default defineCases("system/pit-refused", rows, ({ irqchip, made, create, use }) => ({
  spec: [
    "KVM API 4.71: KVM_CREATE_PIT2 (only after KVM_CREATE_IRQCHIP)",
    "KVM API 4.72, 4.73: KVM_GET_PIT2, KVM_SET_PIT2 (only after KVM_CREATE_PIT2)",
    "KVM API 4.99: KVM_REINJECT_CONTROL (ENXIO)",
  ],
  mode: "real",
  requires: ["KVM_CAP_IRQCHIP", "KVM_CAP_PIT2", "KVM_CAP_PIT_STATE2", "KVM_CAP_REINJECT_CONTROL"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    if (irqchip) vm.irq.createIrqchip();
    using other = freshVm(context);
    other.observer = undefined;
    other.irq.createIrqchip();
    other.irq.createPit();
    const [pit, pit2] = [other.irq.pit(), other.irq.pit2()];
    if (made) vm.irq.createPit();
    context.assertEquals("answers", {
      "KVM_GET_PIT": refusal(() => vm.irq.pit()),
      "KVM_SET_PIT": refusal(() => vm.irq.setPit(pit)),
      "KVM_GET_PIT2": refusal(() => vm.irq.pit2()),
      "KVM_SET_PIT2": refusal(() => vm.irq.setPit2(pit2)),
      "KVM_REINJECT_CONTROL, off": refusal(() => vm.irq.setReinject(false)),
      "KVM_REINJECT_CONTROL, on": refusal(() => vm.irq.setReinject(true)),
      "KVM_CREATE_PIT2": refusal(() => vm.irq.createPit()),
      "KVM_CREATE_PIT after it": refusal(() => vm.irq.createPit1()),
    }, {
      "KVM_GET_PIT": use,
      "KVM_SET_PIT": use,
      "KVM_GET_PIT2": use,
      "KVM_SET_PIT2": use,
      "KVM_REINJECT_CONTROL, off": use,
      "KVM_REINJECT_CONTROL, on": use,
      "KVM_CREATE_PIT2": create,
      "KVM_CREATE_PIT after it": irqchip ? "EEXIST" : create,
    });
  },
  trace: `hlt`,
}));
