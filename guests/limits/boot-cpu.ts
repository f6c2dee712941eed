import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const rows = {
  highest: { id: (most: number) => most - 1, answer: "none" },
  "31-bits": { id: () => 0x7fffffff, answer: "EINVAL" },
};

/** The bootstrap processor's id is one that a vCPU can have. */
export default defineCases("limits/boot-cpu", rows, ({ id, answer }) => ({
  spec: [
    "KVM API 4.41: KVM_SET_BOOT_CPU_ID (the same as the vCPU id in KVM_CREATE_VCPU)",
    "KVM API 4.7: KVM_CAP_MAX_VCPU_ID",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_SET_BOOT_CPU_ID",
    "KVM_CAP_MAX_VCPU_ID",
    // Kernels before the one that has this do not look at the id.
    "KVM_CAP_X86_GUEST_MODE",
  ],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    const most = vm.checkExtension("KVM_CAP_MAX_VCPU_ID");
    context.assertEquals("the answer", refusal(() => vm.setBootCpuId(id(most))), answer);
  },
  trace: `hlt`,
}));
