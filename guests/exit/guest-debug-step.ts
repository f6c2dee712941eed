import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/** Single-stepping exits after every instruction, one KVM emulates too, and the guest cannot tell. */
export default defineCases("exit/guest-debug-step", modes, (mode) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_SINGLESTEP)",
    "KVM API 5: KVM_EXIT_DEBUG",
    "SDM 3B 18.3.1.4: single-step exception",
  ],
  mode,
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  machine: { rflags: { set: 0x8d5n } },
  guest: asm`
    mov byte [0xa000], 0x5a
    wrote:
    cpuid
    identified:
    jmp over
    hlt
    over:
    mov eax, 0x21
    loaded:
    hlt
  `,
  drive: ({ run, vcpu, assertEquals }) => {
    for (let step = 0; step < 4; step++) {
      vcpu.setGuestDebug({ singleStep: true });
      run();
      assertEquals(`RFLAGS after step ${step}`, vcpu.regs().rflags, 0x8d7n);
    }
    vcpu.setGuestDebug();
  },
  trace: ({ wrote, identified, over, loaded }) => `
    > guest-debug single-step
    debug exception=0x1 rip=${wrote} dr6=0xffff4ff0
    > guest-debug single-step
    debug exception=0x1 rip=${identified} dr6=0xffff4ff0
    > guest-debug single-step
    debug exception=0x1 rip=${over} dr6=0xffff4ff0
    > guest-debug single-step
    debug exception=0x1 rip=${loaded} dr6=0xffff4ff0
    > guest-debug off
    hlt
    = rax 0x21
    = rbx *
    = rcx *
    = rdx *
    = mem 0xa000 u8 0x5a
  `,
}));
