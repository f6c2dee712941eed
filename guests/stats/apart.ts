import { asm, defineCase } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** What a vCPU does is counted for it alone: not for another vCPU, and not in another VM. */
export default defineCase({
  id: "stats/apart",
  spec: ["KVM API 4.133: KVM_GET_STATS_FD of a vCPU"],
  mode: "real",
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  requires: ["KVM_CAP_BINARY_STATS_FD", { capability: "KVM_CAP_MAX_VCPUS", atLeast: 2 }],
  guest: asm`
    hlt
    hlt
  `,
  drive(context) {
    const { vm, vcpu, run, assertEquals } = context;
    using other = vm.createVcpu(1);
    using elsewhere = freshVm(context);
    using stranger = elsewhere.createVcpu(0);
    using mine = vcpu.statistics();
    using theirs = other.statistics();
    using strangers = stranger.statistics();
    const ids = new Set([mine.id, theirs.id, strangers.id]);
    assertEquals("vCPUs of one VM have ids of their own", ids.has(mine.id) && ids.size >= 2, true);
    const halts = () =>
      [mine, theirs, strangers].map((statistics) => statistics.value("halt_exits"));
    const before = halts();
    run();
    run();
    assertEquals("HLTs", halts(), [before[0]! + 2n, before[1], before[2]]);
  },
  trace: `
    hlt
    hlt
  `,
});
