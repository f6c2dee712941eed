import { asm, defineCases } from "../../mod.ts";
import { localApics } from "./_local_apics.ts";

const [XAPIC, X2APIC, DISABLED] = [0xfee00800n, 0xfee00c00n, 0xfee00000n];

const rows = {
  // The id is the vCPU's again, in the format of the mode.
  "disabled-and-enabled": { id: 9 << 24, bases: [DISABLED, XAPIC], then: 1 << 24 },
  "x2apic": { id: 9 << 24, bases: [X2APIC], then: 1 << 24 },
  "x2apic-and-back": { id: 9 << 24, bases: [X2APIC, DISABLED, XAPIC], then: 1 << 24 },
  "as-it-was": { id: 9 << 24, bases: [XAPIC], then: 9 << 24 },
} as const;

/** The id that a guest gave its local APIC goes when IA32_APIC_BASE disables it. */
export default defineCases("apic/base", rows, ({ id, bases, then }) => ({
  spec: [
    "SDM 3A 10.4.3: enabling or disabling the local APIC (power-up state once it is enabled again)",
    "SDM 3A 10.12.5: x2APIC state transitions",
    "KVM API 4.57: KVM_GET_LAPIC",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_IRQCHIP",
    "KVM_CAP_SIGNAL_MSI",
    { capability: "KVM_CAP_MAX_VCPUS", atLeast: 2 },
    { cpuid: "X2APIC" },
  ],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    const local = localApics(context, [{ vcpu: 0 }, { vcpu: 1, mode: "x2apic" }]);
    using vm = local.vm;
    const vcpu = local.vcpus[1]!;
    vcpu.setMsrs([{ index: 0x1b, data: DISABLED }]);
    vcpu.setMsrs([{ index: 0x1b, data: XAPIC }]);
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0x20, id, true);
    view.setUint32(0xf0, 0x1ff, true);
    vcpu.setLapic(page);
    for (const data of bases) vcpu.setMsrs([{ index: 0x1b, data }]);
    assertEquals("id", new DataView(vcpu.lapic().buffer).getUint32(0x20, true), then);
    for (const destination of [1, 9]) {
      const answer = vm.irq.signalMsi({ address: 0xfee00000 + (destination << 12), data: 0x51 });
      assertEquals(`accepted as ${destination}`, answer > 0, destination === then >> 24);
    }
  },
  trace: `hlt`,
}));
