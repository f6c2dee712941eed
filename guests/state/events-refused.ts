import { asm, defineCases, type VcpuEvents } from "../../mod.ts";

const rows: Record<string, (events: VcpuEvents) => Partial<VcpuEvents>> = {
  "payload-not-enabled": ({ flags, exception }) => ({
    flags: flags | 0x10,
    exception: { ...exception, nr: 14, pending: 1 },
  }),
  "triple-fault-not-enabled": ({ flags }) => ({
    flags: flags | 0x20,
    triple_fault: { pending: 1 },
  }),
  "flag-6": ({ flags }) => ({ flags: flags | 0x40 }),
};

/** KVM_SET_VCPU_EVENTS refuses flags whose capability is not enabled, and those it does not know. */
export default defineCases("state/events-refused", rows, (change) => ({
  spec: "KVM API 4.32: KVM_SET_VCPU_EVENTS, flags",
  mode: "long",
  requires: ["KVM_CAP_VCPU_EVENTS"],
  guest: asm`hlt`,
  drive({ vcpu, attempt, assertEquals }) {
    const before = vcpu.events();
    attempt(() => vcpu.setEvents({ ...before, ...change(before) }));
    assertEquals("the events after the refusal", vcpu.events(), before);
  },
  trace: `
    > set-events -> EINVAL
    hlt
  `,
}));
