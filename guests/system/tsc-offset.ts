import { asm, defineCase, ioctl } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** The bytes of struct kvm_device_attr. */
function attribute(group: number, attr: bigint, address: bigint): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(4, group, true);
  view.setBigUint64(8, attr, true);
  view.setBigUint64(16, address, true);
  return new Uint8Array(view.buffer);
}

/** A vCPU has one attribute, its TSC offset; another is ENXIO, a bad address EFAULT. */
export default defineCase({
  id: "system/tsc-offset",
  spec: [
    "KVM API 4.80, 4.81: attributes of a vCPU (ENXIO, EFAULT)",
    "Documentation/virt/kvm/devices/vcpu.rst: KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET",
  ],
  mode: "real",
  requires: ["KVM_CAP_VCPU_ATTRIBUTES"],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const ask = (name: "HAS" | "GET" | "SET", group: number, attr: bigint) =>
      refusal(() => ioctl(vcpu, `KVM_${name}_DEVICE_ATTR`, attribute(group, attr, 0n)));
    assertEquals("KVM_VCPU_TSC_OFFSET", vcpu.hasTscOffset(), true);
    assertEquals("answers", {
      "has it": ask("HAS", 0, 0n),
      "has another": ask("HAS", 0, 1n),
      "has another group": ask("HAS", 1, 0n),
      "get at no address": ask("GET", 0, 0n),
      "get another": ask("GET", 0, 1n),
      "set at no address": ask("SET", 0, 0n),
      "set another group": ask("SET", 7, 0n),
    }, {
      "has it": "none",
      "has another": "ENXIO",
      "has another group": "ENXIO",
      "get at no address": "EFAULT",
      "get another": "ENXIO",
      "set at no address": "EFAULT",
      "set another group": "ENXIO",
    });
  },
  trace: `hlt`,
});
