import { asm, type CpuidFeatureName, defineCases } from "../../mod.ts";
import { offered } from "../_cpuid.ts";
import { byEachCall } from "../_hypercall.ts";

interface Row {
  number: bigint;
  /** The bit of leaf 0x40000001's EAX, and its name. */
  bit: number;
  feature: CpuidFeatureName;
  setting: "shown" | "hidden" | "not-enforced";
}

const calls = {
  kick: { number: 5n, bit: 7, feature: "KVM-PV-UNHALT" },
  // To nobody: the answer is how many got it.
  "send-ipi": { number: 10n, bit: 11, feature: "KVM-PV-SEND-IPI" },
  yield: { number: 11n, bit: 13, feature: "KVM-PV-SCHED-YIELD" },
} as const;

const rows: Record<string, Row> = Object.fromEntries(
  Object.entries(calls).flatMap(([name, call]) =>
    (["shown", "hidden", "not-enforced"] as const).map((
      setting,
    ) => [`${name}-${setting}`, { ...call, setting }])
  ),
);

/** A guest that is held to its CPUID has no hypercall of a feature which that does not show. */
export default defineCases("paravirt/enforced-hypercall", byEachCall(rows), ({ row, call }) => {
  const { number, bit, feature, setting } = row;
  const answer = setting === "hidden" ? BigInt.asUintN(64, -1000n) : 0n;
  return {
    spec: [
      "KVM API 8.28: KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
      "KVM x86 hypercalls: KVM_HC_KICK_CPU, KVM_HC_SEND_IPI, KVM_HC_SCHED_YIELD",
    ],
    mode: "long",
    irqchip: "kernel",
    requires: [call.requires, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID", { cpuid: feature }],
    registers: { rax: number },
    guest: asm`
      ${call.instruction}
      mov rbp, rax
      xor eax, eax
      out 0xf4, al
    `,
    drive: ({ vcpu }) => {
      if (setting !== "not-enforced") {
        vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", 1);
      }
      vcpu.setCpuid(
        offered((entry) =>
          entry.function === 0x40000001
            ? { eax: (setting === "shown" ? 1 << bit : entry.eax & ~(1 << bit)) >>> 0 }
            : {}
        ),
      );
    },
    trace: `
      ${setting === "not-enforced" ? "" : "> enable enforce-pv-feature-cpuid 0x1"}
      > set-cpuid
      pio out 0xf4 u8 0x0
      = rax 0x0
      = rbp 0x${answer.toString(16)}
      = rflags 0x46
    `,
  };
});
