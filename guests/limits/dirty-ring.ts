import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** From what KVM_CAP_DIRTY_LOG_RING answers: the size that is asked for. */
const rows = {
  largest: { times: 1, answer: "none" },
  "twice-as-large": { times: 2, answer: "E2BIG" },
};

/** A ring is as large as KVM_CAP_DIRTY_LOG_RING answers, and no larger. */
export default defineCases("limits/dirty-ring", rows, ({ times, answer }) => ({
  spec: [
    "KVM API 8.29: KVM_CAP_DIRTY_LOG_RING",
    "virt/kvm/kvm_main.c: KVM_DIRTY_RING_MAX_ENTRIES (6.1, 6.12), where the document names no errno",
  ],
  mode: "real",
  requires: ["KVM_CAP_DIRTY_LOG_RING"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    const most = vm.checkExtension("KVM_CAP_DIRTY_LOG_RING");
    const set = refusal(() => vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", times * most));
    context.assertEquals("the answer", set, answer);
    if (times > 1) return;
    using vcpu = vm.createVcpu();
    using ring = vcpu.dirtyRing(most);
    context.assertEquals("entries", ring.capacity, most / 16);
    context.assertEquals("all of them", ring.harvest(), []);
  },
  trace: `hlt`,
}));
