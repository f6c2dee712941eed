import { asm, defineCase, ioctl, Kvm } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** Group 0 of the system has one attribute: which XSAVE features a guest may be given. */
export default defineCase({
  id: "system/attribute",
  spec: [
    "KVM API 4.80, 4.81: KVM_GET_DEVICE_ATTR, KVM_HAS_DEVICE_ATTR of the system",
    "KVM API 4.80: ENXIO when the group or attribute is unknown, EFAULT",
    "SDM 1 13.3: state components 0 (x87) and 1 (SSE)",
  ],
  mode: "real",
  requires: ["KVM_CAP_SYS_ATTRIBUTES", "KVM_CAP_XCRS"],
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    const features = { group: 0, attribute: 0 };
    assertEquals("KVM_X86_XCOMP_GUEST_SUPP", kvm.hasAttribute(features), true);
    const mask = new DataView(kvm.attribute(features).buffer).getBigUint64(0, true);
    assertEquals("x87 and SSE", mask & 3n, 3n);
    // CPUID 0xd.0 tells the same of what needs no permission: EDX:EAX are bits of XCR0.
    const leaf = kvm.supportedCpuid().find((leaf) => leaf.function === 0xd && leaf.index === 0)!;
    const xcr0 = BigInt(leaf.edx >>> 0) << 32n | BigInt(leaf.eax >>> 0);
    assertEquals("features of CPUID that the attribute lacks", xcr0 & ~mask, 0n);
    assertEquals("another attribute", kvm.hasAttribute({ group: 0, attribute: 1 }), false);
    assertEquals("another group", kvm.hasAttribute({ group: 0x100, attribute: 0 }), false);
    assertEquals("reading", {
      attribute: refusal(() => kvm.attribute({ group: 0, attribute: 1 })),
      group: refusal(() => kvm.attribute({ group: 0x100, attribute: 0 })),
      address: refusal(() => ioctl(kvm, "KVM_GET_DEVICE_ATTR", new Uint8Array(24))),
    }, { attribute: "ENXIO", group: "ENXIO", address: "EFAULT" });
  },
  trace: `hlt`,
});
