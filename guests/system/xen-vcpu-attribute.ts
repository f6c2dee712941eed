import { asm, defineCase } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** No address: KVM_XEN_INVALID_GPA. */
const NONE = (1n << 64n) - 1n;

/** A vCPU's attributes for Xen read as they were set. */
export default defineCase({
  id: "system/xen-vcpu-attribute",
  spec: ["KVM API 4.128, 4.129: KVM_XEN_VCPU_SET_ATTR, KVM_XEN_VCPU_GET_ATTR"],
  mode: "real",
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 0x20 }],
  guest: asm`hlt`,
  drive({ vm, vcpu: { xen }, assertEquals }) {
    const { observer } = vm;
    vm.observer = undefined;
    assertEquals("without a vcpu_info", xen.attribute("vcpu-info").gpa, NONE);
    xen.setAttribute("vcpu-info", { gpa: NONE });
    xen.setAttribute("vcpu-id", { vcpu_id: 5 });
    assertEquals("the vCPU's number", xen.attribute("vcpu-id").vcpu_id, 5);
    xen.setAttribute("upcall-vector", { vector: 0x31 });
    assertEquals("the vector of upcalls", xen.attribute("upcall-vector").vector, 0x31);
    const answers = {
      vector: refusal(() => xen.setAttribute("upcall-vector", { vector: 0x0f })),
      adjust: refusal(() => xen.attribute("runstate-adjust")),
      timer: refusal(() => xen.attribute("timer")),
    };
    vm.observer = observer;
    assertEquals("answers", answers, { vector: "EINVAL", adjust: "EINVAL", timer: "none" });
  },
  trace: `hlt`,
});
