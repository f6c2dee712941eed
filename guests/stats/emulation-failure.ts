import { asm, defineCase } from "../../mod.ts";

/** An instruction on device memory that KVM cannot emulate is counted once as a failure. */
export default defineCase({
  id: "stats/emulation-failure",
  spec: [
    "KVM API 4.133: KVM_GET_STATS_FD, cumulative statistics",
    "KVM API 5: KVM_EXIT_INTERNAL_ERROR, KVM_INTERNAL_ERROR_EMULATION",
  ],
  mode: "long",
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  requires: ["KVM_CAP_BINARY_STATS_FD"],
  registers: { rdi: 0xd0000000n },
  guest: asm`
    out 0x10, al
    fld tbyte ptr [rdi]
    hlt
  `,
  drive({ vcpu, run, assertEquals }) {
    using statistics = vcpu.statistics();
    run();
    const before = statistics.read();
    run();
    const after = statistics.read();
    const moved = (name: string) => after.get(name)![0] - before.get(name)![0];
    assertEquals("insn_emulation_fail", moved("insn_emulation_fail"), 1n);
    assertEquals("insn_emulation moved", moved("insn_emulation") >= 1n, true);
    assertEquals("exits moved", moved("exits") >= 1n, true);
  },
  trace: `
    pio out 0x10 u8 0x0
    internal-error emulation
  `,
});
