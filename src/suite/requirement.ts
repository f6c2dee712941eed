import { type CapabilityName } from "../../ffi/abi/capabilities.ts";
import { UserFault } from "../../ffi/user_fault.ts";
import type { Kvm } from "../kvm/kvm.ts";
import type { CpuidEntry } from "../x86/state.ts";
import { type CpuidFeatureName, cpuidFeatures } from "../x86/cpuid.ts";

/** Which vendor's virtualization extension KVM runs guests with, by the loaded module. */
export type Backend = "vmx" | "svm" | "pvm" | "unknown";

/** What may emulate a CPU: QEMU's TCG, or Bochs. */
export type Emulation = "qemu-tcg" | "bochs";

/** Something a host must have for a case to say anything. */
export type Requirement =
  | CapabilityName
  /** A capability that answers at least this number. */
  | { readonly capability: CapabilityName; readonly atLeast: number }
  /** A CPUID feature that KVM_GET_SUPPORTED_CPUID offers. */
  | { readonly cpuid: CpuidFeatureName }
  /** One of these backends, where vendors differ by architecture. */
  | { readonly backend: readonly Backend[] }
  /** A parameter of a KVM module, as /sys/module shows it. */
  | { readonly parameter: string; readonly value: string }
  /** Something of Linux that not every process may do. */
  | { readonly allowed: "userfaultfd" }
  /** A CPU that is no emulation which the case would bring down, all later cases with it. */
  | { readonly notEmulatedBy: Emulation; readonly because: string };

/** What is known of a host: its capabilities, its CPUID, its vendor's module. */
export class HostFacts {
  readonly #kvm: Kvm;
  readonly #capabilities = new Map<CapabilityName, number>();
  readonly #parameters = new Map<string, string | undefined>();
  #backend: Backend | undefined;
  #emulation: Emulation | "none" | undefined;
  #userFault: boolean | undefined;

  /**
   * Nothing is asked yet.
   *
   * @param kvm asked for capabilities and CPUID
   */
  constructor(kvm: Kvm) {
    this.#kvm = kvm;
  }

  /** The value of a capability, asked once. */
  capability(name: CapabilityName): number {
    let value = this.#capabilities.get(name);
    if (value === undefined) this.#capabilities.set(name, value = this.#kvm.checkExtension(name));
    return value;
  }

  /** Which vendor's code runs the guests; `"unknown"` when /sys/module cannot be read. */
  get backend(): Backend {
    return this.#backend ??= detectBackend();
  }

  /** What emulates this host's CPU, if one of those that are known does; asked once. */
  get emulation(): Emulation | undefined {
    this.#emulation ??= emulationNames.find((name) => emulations[name].detect()) ?? "none";
    return this.#emulation === "none" ? undefined : this.#emulation;
  }

  /**
   * A parameter of a KVM module as /sys/module shows it, asked once; `undefined` where there is none.
   *
   * @param parameter `module.name`, such as `kvm_amd.npt`
   */
  parameter(parameter: string): string | undefined {
    if (!this.#parameters.has(parameter)) {
      this.#parameters.set(parameter, readParameter(parameter));
    }
    return this.#parameters.get(parameter);
  }

  /** Whether a parameter of a KVM module has a value, truth values alike however they are spelled. */
  hasParameter(parameter: string, value: string): boolean {
    const found = this.parameter(parameter);
    return found !== undefined && asNumber(found) === asNumber(value);
  }

  /**
   * The first of the requirements that this host lacks, in words; `undefined` when it has all.
   *
   * @throws {KvmError} when KVM cannot be asked.
   */
  missing(requirements: readonly Requirement[]): string | undefined {
    for (const requirement of requirements) {
      const lack = this.#lack(requirement);
      if (lack !== undefined) return lack;
    }
  }

  #lack(requirement: Requirement): string | undefined {
    if (typeof requirement === "string") {
      return this.capability(requirement) > 0 ? undefined : requirement;
    }
    if ("capability" in requirement) {
      const { capability, atLeast } = requirement;
      const value = this.capability(capability);
      return value >= atLeast ? undefined : `${capability} of at least ${atLeast}, here ${value}`;
    }
    if ("cpuid" in requirement) {
      return hasFeature(this.#kvm.supportedCpuid(), requirement.cpuid)
        ? undefined
        : `CPUID ${requirement.cpuid}`;
    }
    if ("backend" in requirement) {
      return requirement.backend.includes(this.backend)
        ? undefined
        : `backend ${requirement.backend.join(" or ")}, here ${this.backend}`;
    }
    if ("notEmulatedBy" in requirement) {
      const { notEmulatedBy, because } = requirement;
      const { name } = emulations[notEmulatedBy];
      return this.emulation === notEmulatedBy
        ? `a CPU not emulated by ${name}: ${because}`
        : undefined;
    }
    if ("allowed" in requirement) {
      this.#userFault ??= UserFault.allowed();
      return this.#userFault ? undefined : `${requirement.allowed}(2), allowed to this process`;
    }
    const { parameter, value } = requirement;
    return this.hasParameter(parameter, value)
      ? undefined
      : `module parameter ${parameter}=${value}, here ${this.parameter(parameter) ?? "not there"}`;
  }
}

function hasFeature(entries: readonly CpuidEntry[], name: CpuidFeatureName): boolean {
  const [leaf, subleaf, register, bit] = cpuidFeatures[name];
  const entry = entries.find((entry) =>
    entry.function === leaf && ((entry.flags & 1) === 0 || entry.index === subleaf)
  );
  return entry !== undefined && (entry[register] >>> bit & 1) === 1;
}

function detectBackend(): Backend {
  for (const backend of ["pvm", "vmx", "svm"] as const) {
    const module = { pvm: "kvm_pvm", vmx: "kvm_intel", svm: "kvm_amd" }[backend];
    try {
      Deno.statSync(`/sys/module/${module}`);
      return backend;
    } catch {
      // Not loaded, or not to be seen.
    }
  }
  return "unknown";
}

/** What is a number in one kernel may have been a truth value in an older one. */
function asNumber(value: string): string {
  return { Y: "1", N: "0" }[value] ?? value;
}

/** @param parameter `module.name`, such as `kvm_intel.nested` */
function readParameter(parameter: string): string | undefined {
  const [module, name] = parameter.split(".");
  try {
    return Deno.readTextFileSync(`/sys/module/${module}/parameters/${name}`).trim();
  } catch {
    return undefined;
  }
}

/** How often slower than a computer's an emulated CPU is at running a guest. */
export const slowness: Readonly<Record<Emulation, number>> = { "qemu-tcg": 5, bochs: 10 };

const emulations: Record<Emulation, { readonly name: string; readonly detect: () => boolean }> = {
  // By the name that the CPU models of its own emulation bear.
  "qemu-tcg": {
    name: "QEMU",
    detect: () => contains("/proc/cpuinfo", /model name\s*: QEMU TCG CPU/),
  },
  // Its CPU models bear the names of Intel's, its BIOS does not.
  bochs: {
    name: "Bochs",
    detect: () => contains("/sys/class/dmi/id/bios_vendor", /^The Bochs Project$/m),
  },
};

const emulationNames = Object.keys(emulations) as Emulation[];

function contains(path: string, pattern: RegExp): boolean {
  try {
    return pattern.test(Deno.readTextFileSync(path));
  } catch {
    return false;
  }
}
