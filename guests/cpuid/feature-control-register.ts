import { asm, type CpuidFeatureName, defineCases } from "../../mod.ts";
import { without } from "../_cpuid.ts";

interface Row {
  feature: CpuidFeatureName;
  bit: Parameters<typeof without>;
  /** The bit of CR4 that comes with it. */
  cr4: bigint;
  /** Another that has to be there. */
  also?: bigint;
}

const rows: Record<string, Row> = {
  smep: { feature: "SMEP", bit: [7, 0, "ebx", 7], cr4: 0x100000n },
  smap: { feature: "SMAP", bit: [7, 0, "ebx", 20], cr4: 0x200000n },
  umip: { feature: "UMIP", bit: [7, 0, "ecx", 2], cr4: 0x800n },
  fsgsbase: { feature: "FSGSBASE", bit: [7, 0, "ebx", 0], cr4: 0x10000n },
  pcid: { feature: "PCID", bit: [1, 0, "ecx", 17], cr4: 0x20000n },
  xsave: { feature: "XSAVE", bit: [1, 0, "ecx", 26], cr4: 0x40000n },
  pku: { feature: "PKU", bit: [7, 0, "ecx", 3], cr4: 0x400000n },
};

/** A feature that CPUID does not show takes its bit of CR4 with it: MOV to CR4 raises #GP(0). */
export default defineCases(
  "cpuid/feature-control-register",
  Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) => [
      [`${name}-there`, { ...row, there: true }],
      [`${name}-absent`, { ...row, there: false }],
    ]),
  ),
  ({ feature, bit, cr4, there }) => ({
    spec: ["SDM 2B: MOV to CR4 (#GP(0), reserved bits)", "KVM API 4.20: KVM_SET_CPUID2"],
    mode: "long",
    requires: [{ cpuid: feature }],
    handlers: { 13: "handler" },
    registers: { rax: 0x20n | cr4 },
    guest: asm`
      writing:
      mov cr4, rax
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
          = cr4 0x${(0x20n | cr4).toString(16)}
        `
        : `
          > set-cpuid
          hlt
          = rbx 0x2
          = cr4 0x20
          = rsp 0x7fd0
          = mem 0x7fd0 u64 [0x0 ${writing} 0x28 0x10002 0x8000 0x30]
        `,
  }),
);
