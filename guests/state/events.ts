import { asm, type CapabilityName, defineCases, type Irqchip, type VcpuEvents } from "../../mod.ts";

interface Row {
  readonly capability?: CapabilityName;
  readonly requires?: CapabilityName;
  readonly irqchip?: Irqchip;
  readonly change: (events: VcpuEvents) => Partial<VcpuEvents>;
}

const VALID_PAYLOAD = 0x10;
const VALID_TRIPLE_FAULT = 0x20;

const rows: Record<string, Row> = {
  "nmi-pending": { change: ({ nmi }) => ({ nmi: { ...nmi, pending: 1 } }) },
  "nmi-masked": { change: ({ nmi }) => ({ nmi: { ...nmi, masked: 1 } }) },
  "nmi-pending-masked": { change: ({ nmi }) => ({ nmi: { ...nmi, pending: 1, masked: 1 } }) },
  "nmi-injected": { change: ({ nmi }) => ({ nmi: { ...nmi, injected: 1 } }) },
  "interrupt-injected": {
    change: ({ interrupt }) => ({ interrupt: { ...interrupt, injected: 1, nr: 0x85 } }),
  },
  "exception-injected": {
    change: () => ({
      exception: { injected: 1, nr: 13, has_error_code: 1, pending: 0, error_code: 0x1a },
    }),
  },
  "exception-pending": {
    capability: "KVM_CAP_EXCEPTION_PAYLOAD",
    change: ({ flags }) => ({
      flags: flags | VALID_PAYLOAD,
      exception: { injected: 0, nr: 14, has_error_code: 1, pending: 1, error_code: 6 },
      exception_has_payload: 1,
      exception_payload: 0x123456789n,
    }),
  },
  "smm": { requires: "KVM_CAP_X86_SMM", change: ({ smi }) => ({ smi: { ...smi, smm: 1 } }) },
  "smm-inside-nmi": {
    requires: "KVM_CAP_X86_SMM",
    change: ({ smi }) => ({ smi: { ...smi, smm: 1, smm_inside_nmi: 1 } }),
  },
  "smi-pending": {
    requires: "KVM_CAP_X86_SMM",
    change: ({ smi }) => ({ smi: { ...smi, pending: 1 } }),
  },
  "init-latched-in-smm": {
    requires: "KVM_CAP_X86_SMM",
    irqchip: "kernel",
    change: ({ smi }) => ({ smi: { ...smi, smm: 1, latched_init: 1 } }),
  },
  "triple-fault": {
    capability: "KVM_CAP_X86_TRIPLE_FAULT_EVENT",
    change: ({ flags }) => ({ flags: flags | VALID_TRIPLE_FAULT, triple_fault: { pending: 1 } }),
  },
};

/** KVM_GET_VCPU_EVENTS gives what waits as KVM_SET_VCPU_EVENTS was given it, and takes it back. */
export default defineCases("state/events", rows, ({ capability, requires, irqchip, change }) => ({
  spec: ["KVM API 4.31: KVM_GET_VCPU_EVENTS", "KVM API 4.32: KVM_SET_VCPU_EVENTS"],
  mode: "long",
  irqchip,
  requires: [
    "KVM_CAP_VCPU_EVENTS",
    ...[capability, requires].filter((needed) => needed !== undefined),
  ],
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vm, vcpu, assertEquals }) {
    if (capability !== undefined) vm.enableCapability(capability, 1);
    const before = vcpu.events();
    const events = { ...before, ...change(before) };
    vcpu.setEvents(events);
    assertEquals("the events", vcpu.events(), events);
    vcpu.setEvents(before);
    const { exception, ...rest } = vcpu.events();
    const none = [exception.injected, exception.pending];
    assertEquals("no exception", none, [0, 0]);
    assertEquals("the events as before", rest, { ...before, exception: undefined });
  },
  trace: `
    ${capability === undefined ? "" : `> enable ${nameOf(capability)} 0x1`}
    > set-events
    > set-events
    pio out 0xf4 u8 0x21
    = rax 0x21
  `,
}));

function nameOf(capability: CapabilityName): string {
  return capability.replace("KVM_CAP_", "").toLowerCase().replaceAll("_", "-");
}
