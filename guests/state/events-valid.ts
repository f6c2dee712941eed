import { asm, type CapabilityName, defineCases, type VcpuEvents } from "../../mod.ts";

interface Row {
  /** What is enabled before. */
  readonly capability?: CapabilityName;
  readonly requires?: CapabilityName;
  /** The flag of KVM_VCPUEVENT_VALID_* that is left out. */
  readonly without?: number;
  readonly change: Partial<VcpuEvents>;
  /** Injected, pending, with a payload: what comes of an exception. Default: nothing. */
  readonly exception?: readonly [injected: number, pending: number, payload: number];
}

const [NMI_PENDING, SHADOW, SMM, PAYLOAD, TRIPLE_FAULT] = [0x1, 0x4, 0x8, 0x10, 0x20];

const pageFault = { injected: 0, nr: 14, has_error_code: 1, pending: 1, error_code: 2 };
const payload = { exception_has_payload: 1, exception_payload: 0x123000n };

const rows: Record<string, Row> = {
  "nmi-pending": {
    without: NMI_PENDING,
    change: { nmi: { injected: 0, pending: 1, masked: 0 } },
  },
  "shadow": {
    without: SHADOW,
    change: { interrupt: { injected: 0, nr: 0, soft: 0, shadow: 1 } },
  },
  "smi": {
    requires: "KVM_CAP_X86_SMM",
    without: SMM,
    change: { smi: { smm: 1, pending: 1, smm_inside_nmi: 1, latched_init: 1 } },
  },
  "triple-fault": {
    capability: "KVM_CAP_X86_TRIPLE_FAULT_EVENT",
    without: TRIPLE_FAULT,
    change: { triple_fault: { pending: 1 } },
  },
  // Without the capability there is no pending exception: the field is not looked at.
  "exception-pending-not-enabled": { change: { exception: pageFault, ...payload } },
  "exception-pending": {
    capability: "KVM_CAP_EXCEPTION_PAYLOAD",
    without: PAYLOAD,
    change: { exception: pageFault, ...payload },
  },
  "exception-injected": {
    capability: "KVM_CAP_EXCEPTION_PAYLOAD",
    without: PAYLOAD,
    change: { exception: { ...pageFault, injected: 1 }, ...payload },
    exception: [1, 0, 0],
  },
  // One that is injected has delivered what it had with it.
  "payload-of-an-injected-exception": {
    capability: "KVM_CAP_EXCEPTION_PAYLOAD",
    change: { exception: { ...pageFault, injected: 1, pending: 0 }, ...payload },
    exception: [1, 0, 0],
  },
  // It waits, or it is being delivered, and not both.
  "exception-injected-and-pending": {
    capability: "KVM_CAP_EXCEPTION_PAYLOAD",
    change: { exception: { ...pageFault, injected: 1 }, ...payload },
    exception: [0, 1, 1],
  },
};

/** KVM_SET_VCPU_EVENTS takes over the fields whose flag is set, and leaves the others as they are. */
export default defineCases("state/events-valid", rows, (row) => ({
  spec: [
    "KVM API 4.32: KVM_SET_VCPU_EVENTS (flags: bits cleared suppress overwriting the state)",
    "KVM API 7.17: KVM_CAP_EXCEPTION_PAYLOAD",
  ],
  mode: "long",
  requires: [
    "KVM_CAP_VCPU_EVENTS",
    ...[row.capability, row.requires].filter((needed) => needed !== undefined),
  ],
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vm, vcpu, assertEquals }) {
    if (row.capability !== undefined) vm.enableCapability(row.capability, 1);
    const before = vcpu.events();
    const flags = before.flags & ~(row.without ?? 0);
    vcpu.setEvents({ ...before, ...row.change, flags });
    const { exception, exception_has_payload, ...now } = vcpu.events();
    assertEquals(
      "the exception",
      [exception.injected, exception.pending, exception_has_payload],
      row.exception ?? [0, 0, 0],
    );
    assertEquals(
      "NMI, interrupt, SMI, triple fault",
      [now.nmi, now.interrupt, now.smi, now.triple_fault, now.flags],
      [before.nmi, before.interrupt, before.smi, before.triple_fault, before.flags],
    );
    vcpu.setEvents({ ...before, exception_has_payload: 0 });
  },
  trace: `
    ${row.capability ? `> enable ${nameOf(row.capability)} 0x1` : ""}
    > set-events
    > set-events
    pio out 0xf4 u8 0x21
    = rax 0x21
  `,
}));

function nameOf(capability: CapabilityName): string {
  return capability.replace("KVM_CAP_", "").toLowerCase().replaceAll("_", "-");
}
