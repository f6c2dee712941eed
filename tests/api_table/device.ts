import type { Row } from "./entry.ts";

/** The ioctls of devices, and of all that have device attributes. */
export const deviceIoctls: Record<string, Row> = {
  KVM_SET_DEVICE_ATTR: [
    "4.80",
    "Device.setAttribute Vcpu.setTscOffset",
    "system/device* state/tsc*",
    "KVM_CAP_DEVICE_CTRL, KVM_CAP_VCPU_ATTRIBUTES",
  ],
  KVM_GET_DEVICE_ATTR: [
    "4.80",
    "Device.attribute Kvm.attribute Vcpu.tscOffset",
    "system/device* system/attribute",
    "KVM_CAP_DEVICE_CTRL, KVM_CAP_SYS_ATTRIBUTES",
  ],
  KVM_HAS_DEVICE_ATTR: [
    "4.81",
    "Device.hasAttribute Kvm.hasAttribute Vcpu.hasTscOffset",
    "system/device* system/attribute system/tsc-offset",
    "KVM_CAP_DEVICE_CTRL, KVM_CAP_SYS_ATTRIBUTES",
  ],
};
