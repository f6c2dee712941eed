import { asm, type CapabilityName, defineCases, type VcpuEvents } from "../../mod.ts";

interface Row {
  readonly change: (events: VcpuEvents) => Partial<VcpuEvents>;
  /** What is enabled before. */
  readonly capability?: CapabilityName;
  /** Before that, the vCPU got an INIT. */
  readonly initialized?: true;
}

const none = { injected: 0, nr: 0, has_error_code: 0, pending: 0, error_code: 0 };
const injected = (nr: number): Row => ({
  change: () => ({ exception: { ...none, injected: 1, nr } }),
});
const pending = (nr: number): Row => ({
  capability: "KVM_CAP_EXCEPTION_PAYLOAD",
  change: () => ({ exception: { ...none, pending: 1, nr } }),
});

const rows: Record<string, Row> = {
  "payload-not-enabled": {
    change: ({ flags, exception }) => ({
      flags: flags | 0x10,
      exception: { ...exception, nr: 14, pending: 1 },
    }),
  },
  "triple-fault-not-enabled": {
    change: ({ flags }) => ({ flags: flags | 0x20, triple_fault: { pending: 1 } }),
  },
  "flag-6": { change: ({ flags }) => ({ flags: flags | 0x40 }) },
  // Exceptions have the vectors 0 to 31, but 2: that is the NMI's.
  "exception-2": injected(2),
  "exception-32": injected(32),
  "exception-255": injected(255),
  "pending-exception-2": pending(2),
  "pending-exception-32": pending(32),
  // In SMM an INIT is latched, not received.
  "smm-behind-init": { initialized: true, change: ({ smi }) => ({ smi: { ...smi, smm: 1 } }) },
  "smi-behind-init": { initialized: true, change: ({ smi }) => ({ smi: { ...smi, pending: 1 } }) },
};

const [RUNNABLE, INIT_RECEIVED] = [0, 2];

/** KVM_SET_VCPU_EVENTS refuses flags that are not enabled or not known, and events that cannot be. */
export default defineCases("state/events-refused", rows, ({ change, capability, initialized }) => ({
  spec: [
    "KVM API 4.32: KVM_SET_VCPU_EVENTS, flags",
    "SDM 3A 6.2: exception and interrupt vectors",
    "SDM 3C 32.3: INIT is blocked in SMM",
  ],
  mode: "long",
  irqchip: initialized ? "kernel" : "none",
  requires: [
    "KVM_CAP_VCPU_EVENTS",
    ...(capability ? [capability] : []),
    ...(initialized ? ["KVM_CAP_X86_SMM" as const] : []),
  ],
  guest: asm`
    out 0xf4, al
  `,
  drive({ vm, vcpu, attempt, assertEquals }) {
    if (capability) vm.enableCapability(capability, 1);
    if (initialized) vcpu.setMpState(INIT_RECEIVED);
    const before = vcpu.events();
    attempt(() => vcpu.setEvents({ ...before, ...change(before) }));
    assertEquals("the events after the refusal", vcpu.events(), before);
    if (initialized) vcpu.setMpState(RUNNABLE);
  },
  trace: `
    ${capability ? "> enable exception-payload 0x1" : ""}
    ${initialized ? "> set-mp-state 0x2" : ""}
    > set-events -> EINVAL
    ${initialized ? "> set-mp-state 0x0" : ""}
    pio out 0xf4 u8 0x0
  `,
}));
