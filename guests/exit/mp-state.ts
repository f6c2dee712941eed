import { asm, defineCases } from "../../mod.ts";

const guest = asm`
  mov al, 0x21
  out 0xf4, al
`;

/** KVM_SET_MP_STATE halts a vCPU and wakes it where the local APIC is in the kernel, and not else. */
export default defineCases(
  "exit/mp-state",
  {
    "kernel-apic": {
      irqchip: "kernel",
      trace: `
      > set-mp-state 0x3
      > kick
      intr
      > set-mp-state 0x0
      pio out 0xf4 u8 0x21
      = rax 0x21
    `,
    },
    "user-apic": {
      irqchip: "none",
      trace: `
      > set-mp-state 0x3 -> EINVAL
      > kick
      intr
      > set-mp-state 0x0
      pio out 0xf4 u8 0x21
      = rax 0x21
    `,
    },
  } as const,
  ({ irqchip, trace }) => ({
    spec: ["KVM API 4.38: KVM_GET_MP_STATE", "KVM API 4.39: KVM_SET_MP_STATE"],
    mode: "real",
    irqchip,
    requires: ["KVM_CAP_MP_STATE"],
    guest,
    drive: ({ run, vcpu, attempt, assertEquals }) => {
      attempt(() => vcpu.setMpState(3));
      const expected = irqchip === "kernel" ? 3 : 0;
      assertEquals("state after KVM_SET_MP_STATE", vcpu.mpState(), expected);
      vcpu.kick();
      run();
      assertEquals("state after a signal", vcpu.mpState(), expected);
      assertEquals("RIP after a signal", vcpu.regs().rip, 0x8000n);
      vcpu.setMpState(0);
      assertEquals("state", vcpu.mpState(), 0);
    },
    trace,
  }),
);
