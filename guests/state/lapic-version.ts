import { asm, defineCase } from "../../mod.ts";

/** The version register is read-only: KVM_SET_LAPIC leaves it as the vCPU has it. */
export default defineCase({
  id: "state/lapic-version",
  spec: [
    "KVM API 4.58: KVM_SET_LAPIC",
    "SDM 3A 10.4.8: local APIC version register (read-only)",
  ],
  mode: "real",
  irqchip: "kernel",
  guest: asm`out 0xf4, al`,
  drive({ vcpu, assertEquals }) {
    const page = vcpu.lapic();
    const version = (of: Uint8Array<ArrayBuffer>) => new DataView(of.buffer).getUint32(0x30, true);
    const before = version(page);
    new DataView(page.buffer).setUint32(0x30, 0x01230045, true);
    vcpu.setLapic(page);
    assertEquals("version", version(vcpu.lapic()), before);
  },
  trace: `
    > set-lapic
    pio out 0xf4 u8 0x0
  `,
});
