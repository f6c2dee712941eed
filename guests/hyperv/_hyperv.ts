/** A guest to which KVM looks like Hyper-V. */

import type { CaseDefinition, DriveContext, Requirement } from "../../mod.ts";

/** What a host must have for it. */
export const requires: readonly Requirement[] = [
  "KVM_CAP_HYPERV",
  "KVM_CAP_HYPERV_CPUID",
  { parameter: "kvm.ignore_msrs", value: "N" },
];

/** Gives the vCPU the CPUID leaves of Hyper-V's interface in place of KVM's own. */
export function becomeHyperv({ vcpu }: DriveContext): void {
  const hyperv = vcpu.supportedHypervCpuid();
  const others = vcpu.cpuid().filter(({ function: leaf }) => leaf >>> 16 !== 0x4000);
  vcpu.setCpuid([...others, ...hyperv]);
}

/** What Hyper-V's interface adds to. */
type Part = Pick<CaseDefinition, "guest" | "trace" | "handlers">;

/** The same case of a guest that sees Hyper-V, before which `drive` acts. */
export function underHyperv(
  { guest, trace, handlers }: Part,
  drive?: (context: DriveContext) => void,
): Part & Pick<CaseDefinition, "drive"> {
  return {
    guest,
    ...(handlers && { handlers }),
    drive: (context) => {
      becomeHyperv(context);
      drive?.(context);
    },
    trace: (labels) => `> set-cpuid\n${typeof trace === "string" ? trace : trace(labels)}`,
  };
}
