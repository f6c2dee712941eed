import { asm, defineCases } from "../../mod.ts";
import { registers, stepped } from "./_instructions.ts";

/**
 * A step ends behind the instruction, once, after all exits that the instruction made itself, and
 * shows the guest no flag of it.
 */
export default defineCases(
  "debug/step-instruction",
  stepped,
  ({ instruction, exits = "", state = "", requires }) => ({
    spec: [
      "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_SINGLESTEP)",
      "SDM 3B 18.3.1.4: single-step exception condition",
    ],
    mode: "long",
    requires: ["KVM_CAP_SET_GUEST_DEBUG", ...(requires ? [requires] : [])],
    machine: { rflags: { set: 0x8d5n } },
    registers,
    guest: asm`
      ${instruction}
      next:
      nop
      behind:
      hlt
    `,
    drive: ({ run, vcpu, assertEquals }) => {
      vcpu.setGuestDebug({ singleStep: true });
      while (run().reason !== "debug");
      assertEquals("RFLAGS after the step", vcpu.regs().rflags, 0x8d7n);
      vcpu.setGuestDebug({ singleStep: true });
      run();
      assertEquals("RFLAGS after the next", vcpu.regs().rflags, 0x8d7n);
      vcpu.setGuestDebug();
    },
    trace: ({ next, behind }) => `
      > guest-debug single-step
      ${exits}
      debug exception=0x1 rip=${next} dr6=0xffff4ff0
      > guest-debug single-step
      debug exception=0x1 rip=${behind} dr6=0xffff4ff0
      > guest-debug off
      hlt
      ${state}
    `,
  }),
);
