import { asm, defineCases, type Vcpu } from "../../mod.ts";
import { offered } from "../_cpuid.ts";

const [APIC_BASE, ID, LDR, ICR, ICR2] = [0x1b, 0x20, 0xd0, 0x300, 0x310];
/** Cluster 2 of the x2APIC's logical ids, and the fourth of it (SDM 3A 11.12.10.2). */
const [OTHER, OTHER_LOGICAL] = [0x23, 0x20008];

/** Whether ids have 32 bits, the mode, and how the page then has the id. */
const rows = {
  "xapic": { format: 0, x2apic: false, id: OTHER << 24 },
  "xapic-32-bit-ids": { format: 1, x2apic: false, id: OTHER << 24 },
  "x2apic": { format: 0, x2apic: true, id: OTHER << 24 },
  "x2apic-32-bit-ids": { format: 1, x2apic: true, id: OTHER },
};

/**
 * The format of the id depends on the mode of the APIC, and on what KVM was told; in x2APIC mode id
 * and logical id are the vCPU's whatever is set, and the ICR is in two parts all the same.
 */
export default defineCases("state/lapic-x2apic", rows, ({ format, x2apic, id }) => ({
  spec: [
    "KVM API 4.57: KVM_GET_LAPIC, KVM_X2APIC_API_USE_32BIT_IDS",
    "KVM API 4.58: KVM_SET_LAPIC",
    "KVM API 7.7: KVM_CAP_X2APIC_API",
    "SDM 3A 11.12.10.2: deriving logical x2APIC ID",
  ],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_X2APIC_API", { cpuid: "X2APIC" }],
  prepare: (vm) => vm.enableCapability("KVM_CAP_X2APIC_API", format),
  guest: asm`out 0xf4, al`,
  drive({ vm, attempt, assertEquals }) {
    using vcpu = vm.createVcpu(OTHER);
    vcpu.setCpuid(offered());
    if (x2apic) vcpu.setMsrs([{ index: APIC_BASE, data: 0xfee00c00n }]);
    const page = vcpu.lapic();
    assertEquals("the id", read(page, ID), id);
    assertEquals("the logical id", read(page, LDR), x2apic ? OTHER_LOGICAL : 0);
    const set = (offset: number, value: number) => {
      const changed = page.slice();
      new DataView(changed.buffer).setUint32(offset, value, true);
      return attempt(() => vcpu.setLapic(changed));
    };
    const refused = x2apic && format === 1;
    set(ID, x2apic && format === 1 ? 0x24 : 0x24 << 24);
    // An xAPIC's id can be written, an x2APIC's not.
    const idNow = x2apic ? id : 0x24 << 24;
    assertEquals("the id after another", read(vcpu.lapic(), ID), idNow);
    vcpu.setLapic(page);
    if (!refused) {
      set(LDR, 0x5000000);
      assertEquals(
        "the logical id after another",
        read(vcpu.lapic(), LDR),
        x2apic ? OTHER_LOGICAL : 0x5000000,
      );
      vcpu.setLapic(page);
    }
    const command = page.slice();
    const view = new DataView(command.buffer);
    view.setUint32(ICR, 0x4851, true);
    view.setUint32(ICR2, x2apic ? 0x89abcdef : 0x89000000, true);
    vcpu.setLapic(command);
    const now = vcpu.lapic();
    assertEquals("the command", [read(now, ICR), read(now, ICR2)], [
      0x4851,
      x2apic ? 0x89abcdef : 0x89000000,
    ]);
    if (x2apic) assertEquals("ICR of the guest", icr(vcpu), "0x89abcdef00004851");
  },
  trace: `
    > set-cpuid
    ${x2apic ? "> set-msrs msr.0x1b=0xfee00c00 -> 0x1" : ""}
    > set-lapic${x2apic && format === 1 ? " -> EINVAL" : ""}
    > set-lapic
    ${x2apic && format === 1 ? "" : "> set-lapic\n> set-lapic"}
    > set-lapic
    pio out 0xf4 u8 0x0
  `,
}));

function read(page: Uint8Array<ArrayBuffer>, offset: number): number {
  return new DataView(page.buffer).getUint32(offset, true);
}

function icr(vcpu: Vcpu): string {
  const [{ data }] = vcpu.msrs([0x830]);
  return `0x${data.toString(16)}`;
}
