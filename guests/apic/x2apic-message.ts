import { asm, defineCases } from "../../mod.ts";
import { refusal } from "../_fresh.ts";
import { type LocalApic, localApics, vectors } from "./_local_apics.ts";

interface Row {
  /** KVM_X2APIC_API_USE_32BIT_IDS (1), KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK (2). */
  flags: number;
  apics?: readonly LocalApic[];
  address: bigint;
  accepted: readonly number[] | "EINVAL";
}

const ids = [0, 5, 7, 23, 44, 255, 300, 556];
const x2apics: LocalApic[] = ids.map((vcpu) => ({ vcpu, mode: "x2apic" }));
const xapics: LocalApic[] = [0, 5, 44, 300].map((vcpu) => ({ vcpu }));

const rows: Record<string, Row> = {
  // Without 32-bit ids the upper half of the address means nothing.
  "high-half-ignored": { flags: 0, address: 0x1_fee2c000n, accepted: [44] },
  "high-bytes-ignored": { flags: 0, address: 0x100_fee2c000n, accepted: [44] },
  "broadcast-quirk": { flags: 0, address: 0xfeeff000n, accepted: ids },
  "broadcast-quirk-logical": { flags: 0, address: 0xfeeff004n, accepted: ids },
  "ids-low": { flags: 1, address: 0xfee2c000n, accepted: [44] },
  "ids-second-byte": { flags: 1, address: 0x100_fee2c000n, accepted: [300] },
  "ids-third-value": { flags: 1, address: 0x200_fee2c000n, accepted: [556] },
  "ids-absent": { flags: 1, address: 0x300_fee2c000n, accepted: [] },
  "ids-above-all": { flags: 1, address: 0x1000000_fee2c000n, accepted: [] },
  "ids-low-byte-set": { flags: 1, address: 0x1_fee2c000n, accepted: "EINVAL" },
  "ids-low-byte-all": { flags: 1, address: 0x1ff_fee2c000n, accepted: "EINVAL" },
  // Cluster 1: ids 16 to 31; cluster 18: ids 288 to 303.
  "ids-logical-cluster-0": { flags: 1, address: 0xfeea1004n, accepted: [0, 5, 7] },
  "ids-logical-cluster-1": { flags: 1, address: 0x10000_fee80004n, accepted: [23] },
  "ids-logical-cluster-18": { flags: 1, address: 0x121000_fee00004n, accepted: [300] },
  "ids-logical-last-cluster": { flags: 1, address: 0x221000_fee00004n, accepted: [556] },
  "ids-logical-beyond-last": { flags: 1, address: 0x22ef00_feeff004n, accepted: [] },
  "ids-logical-other-bits": { flags: 1, address: 0x12ef00_feeff004n, accepted: [] },
  "ids-broadcast-quirk": { flags: 1, address: 0xfeeff000n, accepted: ids },
  "ids-broadcast-id": { flags: 3, address: 0xfeeff000n, accepted: [255] },
  "ids-broadcast": { flags: 3, address: 0xffffff00_feeff000n, accepted: ids },
  "ids-broadcast-logical": { flags: 3, address: 0xffffff00_feeff004n, accepted: ids },
  // 0xff is cluster 0 and its first eight.
  "ids-logical-first-eight": { flags: 3, address: 0xfeeff004n, accepted: [0, 5, 7] },
  "xapic-broadcast-without-quirk": {
    flags: 3,
    apics: xapics,
    address: 0xfeeff000n,
    accepted: [0, 5, 44, 300],
  },
  // A local APIC in xAPIC mode whose id has more bits is reached by all of them.
  "xapic-long-id": { flags: 1, apics: xapics, address: 0x100_fee2c000n, accepted: [300] },
  "xapic-short-id": { flags: 1, apics: xapics, address: 0xfee05000n, accepted: [5] },
};

/** A message to local APICs in x2APIC mode, with ids of 8 bits and, where KVM is told so, of 32. */
export default defineCases("apic/x2apic-message", rows, (row) => ({
  spec: [
    "KVM API 7.8: KVM_CAP_X2APIC_API",
    "KVM API 4.70: KVM_SIGNAL_MSI",
    "SDM 3A 10.12.10: determining IPI destination in x2APIC mode",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_IRQCHIP",
    "KVM_CAP_SIGNAL_MSI",
    "KVM_CAP_X2APIC_API",
    { capability: "KVM_CAP_MAX_VCPUS", atLeast: 8 },
    { capability: "KVM_CAP_MAX_VCPU_ID", atLeast: 557 },
    { cpuid: "X2APIC" },
  ],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    const apics = row.apics ?? x2apics;
    const local = localApics(context, apics, row.flags);
    using vm = local.vm;
    const route = { gsi: 4, msi: { address: row.address, data: 0x62 } };
    const { accepted } = row;
    const expected = accepted === "EINVAL" ? [] : accepted;
    let delivered = false;
    const answer = refusal(() => {
      delivered = vm.irq.signalMsi({ address: row.address, data: 0x51 }) > 0;
    });
    const routed = refusal(() => vm.irq.setRouting([route]));
    if (routed === "none") vm.irq.setLine(4, 1);
    const refused = accepted === "EINVAL" ? accepted : "none";
    assertEquals("the answers", [answer, routed], [refused, refused]);
    assertEquals("it was delivered", delivered, expected.length > 0);
    local.vcpus.forEach((vcpu, index) => {
      const { vcpu: id } = apics[index]!;
      const pending = expected.includes(id) ? [0x51, 0x62] : [];
      assertEquals(`IRR of vCPU ${id}`, vectors(vcpu, 0x200), pending);
    });
  },
  trace: `hlt`,
}));
