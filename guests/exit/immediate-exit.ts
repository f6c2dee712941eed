import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/** While immediate_exit is set every KVM_RUN returns EINTR and the guest stands still. */
export default defineCases("exit/immediate-exit", modes, (mode) => ({
  spec: ["KVM API 5: immediate_exit", "KVM API 4.10: KVM_RUN (EINTR)"],
  mode,
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  machine: { rflags: { set: 0x8d5n } },
  guest: asm`
    mov byte [0xa000], 0x5a
    add al, 0x41
    hlt
    add al, 0x11
    hlt
  `,
  drive: ({ run, vcpu, assertEquals }) => {
    const standsStill = () => {
      const before = [vcpu.regs(), vcpu.sregs(), vcpu.events(), vcpu.mpState()];
      run();
      run();
      const after = [vcpu.regs(), vcpu.sregs(), vcpu.events(), vcpu.mpState()];
      assertEquals("state after two entries", after, before);
    };
    vcpu.immediateExit = true;
    standsStill();
    assertEquals("immediate_exit is left alone", vcpu.immediateExit, true);
    vcpu.immediateExit = false;
    run();
    vcpu.immediateExit = true;
    standsStill();
    vcpu.immediateExit = false;
  },
  trace: `
    > immediate-exit 0x1
    intr
    intr
    > immediate-exit 0x0
    hlt
    > immediate-exit 0x1
    intr
    intr
    > immediate-exit 0x0
    hlt
    = rax 0x52
    = rflags 0x2
    = mem 0xa000 u8 0x5a
  `,
}));
