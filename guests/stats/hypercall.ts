import { asm, defineCases } from "../../mod.ts";

const rows = {
  vmcall: { backend: "vmx", instruction: "vmcall" },
  vmmcall: { backend: "svm", instruction: "vmmcall" },
} as const;

/** A hypercall that KVM has none of is counted, and answered with -KVM_ENOSYS. */
export default defineCases("stats/hypercall", rows, ({ backend, instruction }) => ({
  spec: [
    "KVM API 4.133: KVM_GET_STATS_FD, cumulative statistics",
    "Documentation/virt/kvm/x86/hypercalls.rst: R0 is the result, KVM_ENOSYS is 1000",
  ],
  mode: "long",
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  requires: ["KVM_CAP_BINARY_STATS_FD", { backend: [backend] }],
  registers: { rax: 0x1234n },
  guest: asm`
    out 0x10, al
    ${instruction}
    ${instruction}
    out 0xf4, al
  `,
  drive({ vcpu, run, assertEquals }) {
    using statistics = vcpu.statistics();
    run();
    const before = statistics.value("hypercalls")!;
    run();
    assertEquals("hypercalls", statistics.value("hypercalls")! - before, 2n);
  },
  trace: `
    pio out 0x10 u8 0x34
    pio out 0xf4 u8 0x18
    = rax 0xfffffffffffffc18
  `,
}));
