/** The leaves that KVM offers a vCPU (KVM_GET_SUPPORTED_CPUID), changed by a case. */
import { type CpuidEntry, Kvm } from "../mod.ts";

let supported: readonly CpuidEntry[] | undefined;

function supportedCpuid(): readonly CpuidEntry[] {
  using kvm = Kvm.open();
  return kvm.supportedCpuid();
}

/** What KVM offers, with some registers of some leaves changed. */
export function offered(
  change: (entry: CpuidEntry) => Partial<CpuidEntry> = () => ({}),
): CpuidEntry[] {
  supported ??= supportedCpuid();
  return supported.map((entry) => ({ ...entry, ...change(entry) }));
}

/** What KVM offers without one bit. */
export function without(
  leaf: number,
  subleaf: number,
  register: "eax" | "ebx" | "ecx" | "edx",
  bit: number,
): CpuidEntry[] {
  return offered((entry) =>
    entry.function === leaf && entry.index === subleaf
      ? { [register]: (entry[register] & ~(1 << bit)) >>> 0 }
      : {}
  );
}
