import { asm, defineCases } from "../../mod.ts";

// The states of other architectures (KVM_MP_STATE_STOPPED and on), and one that is none.
const rows = {
  "kernel-halted": { irqchip: "kernel", state: 3, taken: true },
  "kernel-uninitialized": { irqchip: "kernel", state: 1, taken: true },
  "kernel-stopped": { irqchip: "kernel", state: 5, taken: false },
  "kernel-suspended": { irqchip: "kernel", state: 10, taken: false },
  "kernel-none": { irqchip: "kernel", state: 11, taken: false },
  "kernel-largest": { irqchip: "kernel", state: 0xffffffff, taken: false },
  "user-uninitialized": { irqchip: "none", state: 1, taken: false },
  "user-init-received": { irqchip: "none", state: 2, taken: false },
  "user-sipi-received": { irqchip: "none", state: 4, taken: false },
  "user-stopped": { irqchip: "none", state: 5, taken: false },
} as const;

/** KVM_SET_MP_STATE takes the states of x86 where the local APIC is in the kernel, and no others. */
const states = defineCases("state/mp-state", rows, ({ irqchip, state, taken }) => ({
  spec: ["KVM API 4.38: KVM_GET_MP_STATE", "KVM API 4.39: KVM_SET_MP_STATE"],
  mode: "real",
  irqchip,
  requires: ["KVM_CAP_MP_STATE"],
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vcpu, attempt, assertEquals }) {
    attempt(() => vcpu.setMpState(state));
    assertEquals("the state", vcpu.mpState(), taken ? state : 0);
    vcpu.setMpState(0);
    assertEquals("runnable again", vcpu.mpState(), 0);
  },
  trace: `
    > set-mp-state 0x${state.toString(16)}${taken ? "" : " -> EINVAL"}
    > set-mp-state 0x0
    pio out 0xf4 u8 0x21
    = rax 0x21
  `,
}));

const [INIT_RECEIVED, SIPI_RECEIVED] = [2, 4];
const blocked = {
  "init-in-smm": { smi: { smm: 1, pending: 0 }, state: INIT_RECEIVED },
  "sipi-in-smm": { smi: { smm: 1, pending: 0 }, state: SIPI_RECEIVED },
  "init-with-smi": { smi: { smm: 0, pending: 1 }, state: INIT_RECEIVED },
  "sipi-with-smi": { smi: { smm: 0, pending: 1 }, state: SIPI_RECEIVED },
  // Halted is a state that SMM has, too.
  "halted-in-smm": { smi: { smm: 1, pending: 0 }, state: 3 },
  "halted-with-smi": { smi: { smm: 0, pending: 1 }, state: 3 },
};

/** An INIT is latched in SMM, and an SMI that waits goes first: no INIT or startup IPI was received. */
const refusals = defineCases("state/mp-state", blocked, ({ smi, state }) => ({
  spec: [
    "KVM API 4.39: KVM_SET_MP_STATE",
    "KVM API 4.31: struct kvm_vcpu_events, smi",
    "SDM 3C 32.3: INIT is blocked in SMM",
  ],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_MP_STATE", "KVM_CAP_VCPU_EVENTS", "KVM_CAP_X86_SMM"],
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vcpu, attempt, assertEquals }) {
    const before = vcpu.events();
    vcpu.setEvents({ ...before, smi: { ...before.smi, ...smi } });
    attempt(() => vcpu.setMpState(state));
    assertEquals("the state", vcpu.mpState(), state === 3 ? 3 : 0);
    vcpu.setEvents(before);
    vcpu.setMpState(0);
  },
  trace: `
    > set-events
    > set-mp-state 0x${state} ${state === 3 ? "" : "-> EINVAL"}
    > set-events
    > set-mp-state 0x0
    pio out 0xf4 u8 0x21
    = rax 0x21
  `,
}));

export default [...states, ...refusals];
