import type { Place } from "../report/report.ts";
import type { HostFacts } from "../suite/requirement.ts";

/** The emulator that each backend's labs run on, and the parameters that their names may bear. */
const labs = {
  svm: { emulation: "qemu-tcg", parameters: ["kvm_amd.npt"] },
  vmx: { emulation: "bochs", parameters: ["kvm_intel.ept", "kvm_intel.unrestricted_guest"] },
} as const;

/**
 * Where cases run on this machine: on a host of its own kind, or, where the emulator of a lab
 * emulates the CPU, in such a lab, whoever booted it. So it has the lab's baseline, which lists what
 * that emulator does wrong.
 */
export function hostPlace(facts: HostFacts): Place {
  const { backend } = facts;
  const kernel = Deno.osRelease();
  const lab = backend === "svm" || backend === "vmx" ? labs[backend] : undefined;
  if (lab === undefined || facts.emulation !== lab.emulation) return { kernel, backend };
  const off = lab.parameters.filter((parameter) => facts.hasParameter(parameter, "0"));
  // Without EPT there is no unrestricted guest either: the first says it all.
  const params = off.slice(0, 1).map((parameter) => `${parameter.split(".")[1]}=0`);
  return { kernel, backend, lab: true, params };
}
