import { asm, defineCases } from "../../mod.ts";

// KVM_X86_SHADOW_INT_MOV_SS and _STI. A CPU that has one shadow for both (SVM) tells of both.
const rows = { "mov-ss": 1, "sti": 2 };

/** KVM_GET_VCPU_EVENTS gives the interrupt shadow that KVM_SET_VCPU_EVENTS set, and takes it away. */
export default defineCases("state/interrupt-shadow", rows, (shadow) => ({
  spec: [
    "KVM API 4.31: KVM_GET_VCPU_EVENTS, interrupt.shadow",
    "KVM API 4.32: KVM_SET_VCPU_EVENTS, KVM_VCPUEVENT_VALID_SHADOW",
  ],
  mode: "long",
  requires: ["KVM_CAP_VCPU_EVENTS"],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const before = vcpu.events();
    const { interrupt } = before;
    assertEquals("KVM_VCPUEVENT_VALID_SHADOW", before.flags & 4, 4);
    vcpu.setEvents({ ...before, interrupt: { ...interrupt, shadow } });
    assertEquals("the shadow", vcpu.events().interrupt.shadow & shadow, shadow);
    vcpu.setEvents(before);
    assertEquals("the shadow taken away", vcpu.events().interrupt.shadow, 0);
  },
  trace: `
    > set-events
    > set-events
    hlt
  `,
}));
