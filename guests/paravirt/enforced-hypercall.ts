import { asm, defineCases } from "../../mod.ts";
import { offered } from "../cpuid/_without.ts";
import { byEachCall } from "./_hypercall.ts";

const ENOSYS = BigInt.asUintN(64, -1000n);

const hypercalls = {
  kick: { number: 5n, feature: 7, argument: 0n, answer: 0n },
  yield: { number: 11n, feature: 13, argument: 0n, answer: 0n },
  // To nobody: an empty bitmap from APIC id 0 on.
  "send-ipi": { number: 10n, feature: 11, argument: 0n, answer: 0n },
};

const rows = Object.fromEntries(
  Object.entries(hypercalls).flatMap(([name, row]) => [
    [`${name}-alone`, { ...row, there: true }],
    [`${name}-absent`, { ...row, there: false }],
  ]),
);

/** Once KVM keeps to its CPUID leaf of features, a hypercall that the leaf does not show is unknown. */
export default defineCases("paravirt/enforced-hypercall", byEachCall(rows), ({ row, call }) => ({
  spec: [
    "KVM API 8.28: KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
    "KVM x86 hypercalls: KVM_HC_KICK_CPU, KVM_HC_SCHED_YIELD, KVM_HC_SEND_IPI",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: ["KVM_CAP_ENFORCE_PV_FEATURE_CPUID", call.requires],
  registers: { rax: row.number, rbx: row.argument, rcx: 0n, rdx: 0n, rsi: 0x51n },
  guest: asm`
    ${call.instruction}
    out 0xf4, al
  `,
  drive({ vcpu }) {
    const bit = (1 << row.feature) >>> 0;
    vcpu.setCpuid(
      offered(({ function: number, eax }) =>
        number === 0x40000001 ? { eax: row.there ? bit : (eax & ~bit) >>> 0 } : {}
      ),
    );
    vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", 1);
  },
  trace: `
    > set-cpuid
    > enable enforce-pv-feature-cpuid 0x1
    pio out 0xf4 u8 ${row.there ? "0x0" : "0x18"}
    = rax 0x${(row.there ? row.answer : ENOSYS).toString(16)}
  `,
}));
