import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const rows = {
  highest: { id: 2, answer: "none" },
  "one-too-high": { id: 3, answer: "EINVAL" },
};

/** KVM_CAP_MAX_VCPU_ID lowers how high a vCPU's id may be, for the one VM. */
export default defineCases("limits/vcpu-id-lowered", rows, ({ id, answer }) => ({
  spec: ["KVM API 7.32: KVM_CAP_MAX_VCPU_ID"],
  mode: "real",
  requires: [
    { capability: "KVM_CAP_MAX_VCPU_ID", atLeast: 4 },
    // KVM_CAP_MAX_VCPU_ID can be enabled since the kernel that has this one (6.0).
    "KVM_CAP_X86_TRIPLE_FAULT_EVENT",
  ],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.enableCapability("KVM_CAP_MAX_VCPU_ID", 3);
    context.assertEquals("the answer", refusal(() => vm.createVcpu(id)), answer);
    using other = freshVm(context);
    context.assertEquals("in another VM", refusal(() => other.createVcpu(id)), "none");
  },
  trace: `
    > enable max-vcpu-id 0x3
    hlt
  `,
}));
