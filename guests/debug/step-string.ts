import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/** A repeated string instruction is stepped through iteration by iteration. */
export default defineCases("debug/step-string", modes, (mode) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_SINGLESTEP)",
    "SDM 2B: REP (a pending exception or interrupt between iterations)",
    "SDM 3B 18.3.1.4: single-step exception condition",
  ],
  mode,
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  registers: { rcx: 3n, rsi: 0xa000n, rdi: 0xb000n },
  guest: asm`
    moving:
    rep movsb
    moved:
    nop
    hlt
  `,
  drive: ({ run, vcpu, write, assertEquals }) => {
    write(0xa000, Uint8Array.of(0x11, 0x22, 0x33));
    for (let left = 2n; left >= 0n; left--) {
      vcpu.setGuestDebug({ singleStep: true });
      run();
      const { rcx, rsi, rdi } = vcpu.regs();
      assertEquals("RCX, RSI and RDI", [rcx, rsi, rdi], [left, 0xa003n - left, 0xb003n - left]);
    }
    vcpu.setGuestDebug();
  },
  trace: ({ moving, moved }) => `
    > guest-debug single-step
    debug exception=0x1 rip=${moving} dr6=0xffff4ff0
    > guest-debug single-step
    debug exception=0x1 rip=${moving} dr6=0xffff4ff0
    > guest-debug single-step
    debug exception=0x1 rip=${moved} dr6=0xffff4ff0
    > guest-debug off
    hlt
    = rcx 0x0
    = rsi 0xa003
    = rdi 0xb003
    = mem 0xb000 u8 [0x11 0x22 0x33]
  `,
}));
