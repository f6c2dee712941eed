import { asm, defineCases, type DriveContext } from "../../mod.ts";

const rows: Record<string, { drive: (context: DriveContext) => void; trace: string }> = {
  "offset": {
    drive: ({ vcpu, assertEquals }) => {
      const before = vcpu.tscOffset();
      for (const offset of [0x123456789abn, 0xfffffffffffffff0n, before]) {
        vcpu.setTscOffset(offset);
        assertEquals("the offset", vcpu.tscOffset(), offset);
      }
    },
    trace: "> set-tsc-offset\n".repeat(3),
  },
  "frequency": {
    drive: ({ vcpu, assertEquals }) => {
      const before = vcpu.tscKhz();
      assertEquals("a frequency", before > 0, true);
      vcpu.setTscKhz(0);
      assertEquals("the host's own", vcpu.tscKhz(), before);
    },
    trace: "> set-tsc-khz 0x0",
  },
};

/** The offset of the guest's TSC is what it was set to, and so is its frequency. */
export default defineCases("state/tsc", rows, ({ drive, trace }, variation) => ({
  spec: variation === "offset"
    ? "KVM API 4.80: KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_OFFSET of a vCPU"
    : ["KVM API 4.55: KVM_SET_TSC_KHZ", "KVM API 4.56: KVM_GET_TSC_KHZ"],
  mode: "long",
  requires: variation === "offset" ? ["KVM_CAP_VCPU_ATTRIBUTES"] : ["KVM_CAP_GET_TSC_KHZ"],
  guest: asm`hlt`,
  drive,
  trace: `
    ${trace}
    hlt
  `,
}));
