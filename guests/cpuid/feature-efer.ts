import { asm, type CpuidFeatureName, defineCases } from "../../mod.ts";
import { without } from "../_cpuid.ts";

interface Row {
  feature: CpuidFeatureName;
  bit: Parameters<typeof without>;
  /** What is written to EFER, in protected mode without paging. */
  efer: bigint;
}

const rows: Record<string, Row> = {
  "no-execute": { feature: "NX", bit: [0x80000001, 0, "edx", 20], efer: 0x800n },
  "long-mode": { feature: "LM", bit: [0x80000001, 0, "edx", 29], efer: 0x100n },
};

/** A feature that CPUID does not show takes its bit of EFER with it: WRMSR raises #GP(0). */
export default defineCases(
  "cpuid/feature-efer",
  Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) => [
      [`${name}-there`, { ...row, there: true }],
      [`${name}-absent`, { ...row, there: false }],
    ]),
  ),
  ({ feature, bit, efer, there }) => ({
    spec: ["SDM 3A 2.2.1: IA32_EFER", "KVM API 4.20: KVM_SET_CPUID2"],
    mode: "protected",
    requires: [{ cpuid: feature }, { parameter: "kvm.ignore_msrs", value: "N" }],
    handlers: { 13: "handler" },
    machine: { cr4: { set: 0x20n } },
    registers: { rcx: 0xc0000080n, rax: efer },
    guest: asm`
      writing:
      wrmsr
      mov bl, 1
      hlt
      handler:
      mov bl, 2
      hlt
    `,
    drive: ({ vcpu }) => {
      if (!there) vcpu.setCpuid(without(...bit));
    },
    trace: ({ writing }) =>
      there
        ? `
          hlt
          = rbx 0x1
          = efer 0x${efer.toString(16)}
        `
        : `
          > set-cpuid
          hlt
          = rbx 0x2
          = efer 0x0
          = rsp 0x7ff0
          = mem 0x7ff0 u32 [0x0 ${writing} 0x8 0x10002]
        `,
  }),
);
