import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** From what KVM_CAP_MAX_VCPU_ID answers: the id that is asked for. */
const rows = {
  highest: { id: (most: number) => most - 1, answer: "none" },
  "one-too-high": { id: (most: number) => most, answer: "EINVAL" },
  "twice-as-high": { id: (most: number) => 2 * most, answer: "EINVAL" },
  "31-bits": { id: () => 0x7fffffff, answer: "EINVAL" },
};

/** A vCPU's id is below KVM_CAP_MAX_VCPU_ID, however few vCPUs there are. */
export default defineCases("limits/vcpu-id", rows, ({ id, answer }) => ({
  spec: ["KVM API 4.7: KVM_CREATE_VCPU (the id is below KVM_CAP_MAX_VCPU_ID)"],
  mode: "real",
  requires: ["KVM_CAP_MAX_VCPU_ID"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    const most = vm.checkExtension("KVM_CAP_MAX_VCPU_ID");
    context.assertEquals("the answer", refusal(() => vm.createVcpu(id(most))), answer);
    // A refused one has taken no place.
    context.assertEquals("the first vCPU", refusal(() => vm.createVcpu(0)), "none");
  },
  trace: `hlt`,
}));
