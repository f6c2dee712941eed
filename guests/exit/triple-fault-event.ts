import { asm, defineCases } from "../../mod.ts";

/** KVM_VCPUEVENT_VALID_TRIPLE_FAULT. */
const VALID_TRIPLE_FAULT = 0x20;

const rows = {
  enabled: {
    enable: true,
    pending: 1,
    trace: `
      > enable x86-triple-fault-event 0x1
      pio out 0x10 u8 0x31
      > set-events
      shutdown
      = mem 0xa000 u8 [0x1 0x0]
    `,
  },
  withdrawn: {
    enable: true,
    pending: 0,
    trace: `
      > enable x86-triple-fault-event 0x1
      pio out 0x10 u8 0x31
      > set-events
      > set-events
      hlt
      = rax 0x31
      = mem 0xa000 u8 [0x1 0x1]
    `,
  },
  "not-enabled": {
    enable: false,
    pending: 1,
    trace: `
      pio out 0x10 u8 0x31
      > set-events -> EINVAL
      hlt
      = rax 0x31
      = mem 0xa000 u8 [0x1 0x1]
    `,
  },
};

/** A triple fault that KVM_SET_VCPU_EVENTS makes pending shuts the guest down before it goes on. */
export default defineCases("exit/triple-fault-event", rows, ({ enable, pending, trace }) => ({
  spec: [
    "KVM API 4.32: KVM_SET_VCPU_EVENTS (KVM_VCPUEVENT_VALID_TRIPLE_FAULT)",
    "KVM API 4.31: KVM_GET_VCPU_EVENTS (KVM_CAP_X86_TRIPLE_FAULT_EVENT)",
  ],
  mode: "protected",
  requires: ["KVM_CAP_X86_TRIPLE_FAULT_EVENT"],
  guest: asm`
    mov al, 0x31
    mov byte [0xa000], 1
    out 0x10, al
    mov byte [0xa001], 1
    hlt
  `,
  drive: ({ vm, vcpu, run, attempt, assertEquals }) => {
    if (enable) vm.enableCapability("KVM_CAP_X86_TRIPLE_FAULT_EVENT", 1);
    run();
    const events = vcpu.events();
    const valid = enable ? VALID_TRIPLE_FAULT : 0;
    assertEquals("flag of the triple fault", events.flags & VALID_TRIPLE_FAULT, valid);
    assertEquals("triple fault before", events.triple_fault.pending, 0);
    const set = (pending: number) => {
      const flags = events.flags | VALID_TRIPLE_FAULT;
      attempt(() => vcpu.setEvents({ ...events, flags, triple_fault: { pending } }));
    };
    set(1);
    assertEquals("triple fault set", vcpu.events().triple_fault.pending, enable ? 1 : 0);
    if (pending === 0) set(0);
  },
  trace,
}));
