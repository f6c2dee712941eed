import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

interface Row {
  readonly id: (most: number) => number;
  readonly answer: string;
  /** What KVM_CAP_MAX_VCPU_ID is lowered to before, and behind. */
  readonly lowered?: number;
  readonly then?: readonly [lowered: number, answer: string];
}

const rows: Record<string, Row> = {
  highest: { id: (most) => most - 1, answer: "none" },
  "31-bits": { id: () => 0x7fffffff, answer: "EINVAL" },
  "highest-lowered": { lowered: 4, id: () => 3, answer: "none" },
  "too-high-lowered": { lowered: 4, id: () => 5, answer: "EINVAL" },
  // The limit cannot fall below the bootstrap processor's id.
  "then-lowered": { id: () => 5, answer: "none", then: [4, "EINVAL"] },
  "then-lowered-above": { id: () => 5, answer: "none", then: [6, "none"] },
};

/** The bootstrap processor's id is one that a vCPU can have. */
export default defineCases("limits/boot-cpu", rows, ({ id, answer, lowered, then }) => ({
  spec: [
    "KVM API 4.41: KVM_SET_BOOT_CPU_ID (the same as the vCPU id in KVM_CREATE_VCPU)",
    "KVM API 4.7: KVM_CAP_MAX_VCPU_ID",
    "KVM API 7.32: KVM_CAP_MAX_VCPU_ID",
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
    const lower = (to: number) => refusal(() => vm.enableCapability("KVM_CAP_MAX_VCPU_ID", to));
    if (lowered !== undefined) context.assertEquals("the limit", lower(lowered), "none");
    context.assertEquals("the answer", refusal(() => vm.setBootCpuId(id(most))), answer);
    if (then) context.assertEquals("the limit behind it", lower(then[0]), then[1]);
  },
  trace: `hlt`,
}));
