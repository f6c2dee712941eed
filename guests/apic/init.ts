import { asm, defineCases } from "../../mod.ts";
import { type LocalApic, localApics } from "./_local_apics.ts";

/** Offsets of what INIT resets, what is set before, and what they hold then. */
const registers: Readonly<Record<number, readonly [before: number, after: number]>> = {
  0x80: [0x5a, 0],
  0xe0: [0x0fffffff, 0xffffffff],
  0xf0: [0x1fe, 0xff],
  0x110: [0x00020000, 0],
  0x170: [0x80000001, 0],
  0x180: [0x00010000, 0],
  0x1f0: [0x00000100, 0],
  0x200: [0x00040000, 0],
  0x240: [0x10000000, 0],
  0x280: [0x00000040, 0],
  0x300: [0x000c4021, 0],
  0x310: [0x03000000, 0],
  0x320: [0x00020031, 0x10000],
  0x330: [0x00000032, 0x10000],
  0x340: [0x00000433, 0x10000],
  0x350: [0x00000700, 0x10000],
  0x360: [0x00000400, 0x10000],
  0x370: [0x000000fe, 0x10000],
  0x380: [0x70000000, 0],
  0x390: [0x60000000, 0],
  0x3e0: [0x0000000b, 0],
};

interface Row {
  apic: LocalApic;
  /** Registers that are not compared. */
  without: readonly number[];
  id: number;
  logical: number;
}

const x2apic: LocalApic = { vcpu: 0x23, mode: "x2apic" };

const rows: Record<string, Row> = {
  // The id is not affected, the logical destination is.
  xapic: {
    apic: { vcpu: 1, id: 0x5a, logical: 0x81 },
    without: [],
    id: 0x5a000000,
    logical: 0,
  },
  // Both are the vCPU's: cluster 2, the fourth. There is no destination format.
  x2apic: { apic: x2apic, without: [0xe0, 0x310], id: 0x23000000, logical: 0x20008 },
  "x2apic-command-high": {
    apic: x2apic,
    without: Object.keys(registers).map(Number).filter((offset) => offset !== 0x310),
    id: 0x23000000,
    logical: 0x20008,
  },
};

/** INIT puts the local APIC's registers where a reset does, but for its id, and stops its timer. */
export default defineCases("apic/init", rows, ({ apic, without, id, logical }) => ({
  spec: [
    "SDM 3A 10.4.7.3: local APIC state after an INIT reset",
    "SDM 3A 10.12.5.1: x2APIC states (INIT keeps the mode)",
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
    const local = localApics(context, [{ vcpu: 0 }, apic]);
    using vm = local.vm;
    const vcpu = local.vcpus[1]!;
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    const entries = Object.entries(registers).filter(([offset]) =>
      !without.includes(Number(offset))
    );
    for (const [offset, [before]] of entries) view.setUint32(Number(offset), before, true);
    vcpu.setLapic(page);
    vm.irq.signalMsi({ address: 0xfee00000 + ((apic.id ?? apic.vcpu) << 12), data: 0x500 });
    assertEquals("INIT received", vcpu.mpState(), 2);
    const now = new DataView(vcpu.lapic().buffer);
    for (const [offset, [, after]] of entries) {
      const at = Number(offset);
      assertEquals(`register 0x${at.toString(16)}`, now.getUint32(at, true), after);
    }
    assertEquals("id", now.getUint32(0x20, true), id);
    assertEquals("logical destination", now.getUint32(0xd0, true), logical);
    const mode = apic.mode === "x2apic" ? 0xc00n : 0x800n;
    assertEquals("mode", vcpu.sregs().apic_base & 0xd00n, mode);
  },
  trace: `hlt`,
}));
