import { type DriveContext, Kvm, type Vcpu, type Vm } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** A vCPU's local APIC, as a host sets it up. */
export interface LocalApic {
  /** The vCPU's id, which is the x2APIC id. */
  readonly vcpu: number;
  /** Default: `"xapic"`; `"disabled"` is by IA32_APIC_BASE. */
  readonly mode?: "xapic" | "x2apic" | "disabled";
  /** The id register in xAPIC mode; default: the vCPU's id. */
  readonly id?: number;
  /** LDR, bits 31 to 24, in xAPIC mode; default 0. */
  readonly logical?: number;
  /** DFR: flat by default. */
  readonly format?: number;
  /** SVR; default: enabled. */
  readonly spurious?: number;
}

const bases = { xapic: 0xfee00800n, x2apic: 0xfee00c00n, disabled: 0xfee00000n };

/**
 * A VM whose vCPUs have these local APICs; nothing of it is recorded.
 *
 * @param x2apicApi flags of KVM_CAP_X2APIC_API
 * @param busCycle nanoseconds of a cycle of the timers' bus
 */
export function localApics(
  context: DriveContext,
  apics: readonly LocalApic[],
  x2apicApi = 0,
  busCycle = 1,
): { vm: Vm; vcpus: readonly Vcpu[] } {
  using kvm = Kvm.open();
  const cpuid = kvm.supportedCpuid();
  const vm = freshVm(context);
  vm.observer = undefined;
  vm.irq.createIrqchip();
  if (x2apicApi !== 0) vm.enableCapability("KVM_CAP_X2APIC_API", x2apicApi);
  if (busCycle !== 1) vm.enableCapability("KVM_CAP_X86_APIC_BUS_CYCLES_NS", busCycle);
  const vcpus = apics.map((apic) => {
    const vcpu = vm.createVcpu(apic.vcpu);
    const mode = apic.mode ?? "xapic";
    if (mode === "x2apic") vcpu.setCpuid(cpuid);
    const sregs = vcpu.sregs();
    vcpu.setSregs({ ...sregs, apic_base: bases[mode] | sregs.apic_base & 0x100n });
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0xf0, apic.spurious ?? 0x1ff, true);
    if (mode === "xapic") {
      view.setUint32(0x20, (apic.id ?? apic.vcpu) << 24 >>> 0, true);
      view.setUint32(0xd0, (apic.logical ?? 0) << 24 >>> 0, true);
      view.setUint32(0xe0, apic.format ?? 0xffffffff, true);
    }
    vcpu.setLapic(page);
    return vcpu;
  });
  return { vm, vcpus };
}

/** The vectors whose bits are set in 256 bits of a local APIC (0x100: ISR, 0x180: TMR, 0x200: IRR). */
export function vectors(vcpu: Pick<Vcpu, "lapic">, offset: number): number[] {
  const view = new DataView(vcpu.lapic().buffer);
  return Array.from({ length: 256 }, (_, vector) => vector).filter((vector) =>
    view.getUint32(offset + (vector >> 5) * 0x10, true) >>> (vector & 31) & 1
  );
}
