import { asm, defineCases } from "../../mod.ts";

const rows = {
  // The host puts the instruction that the INT3 stands for in its place.
  replaced: {
    reinject: false,
    trace: (breakpoint: string) => `
      > guest-debug software-breakpoints
      debug exception=0x3 rip=${breakpoint} dr6=*
      > guest-debug off
      hlt
      = rax 0x3
      = rflags *
    `,
  },
  // The host gives an INT3 of the guest's own back to it: #BP, with RIP behind it.
  reinjected: {
    reinject: true,
    trace: (breakpoint: string) => `
      > guest-debug software-breakpoints
      debug exception=0x3 rip=${breakpoint} dr6=*
      > guest-debug inject-bp
      hlt
      = rax 0x42
      = rflags 0x6
      = rsp 0x7fd8
      = mem 0x7fd8 u64 [0x${(BigInt(breakpoint) + 1n).toString(16)} 0x28 0x2 0x8000 0x30]
    `,
  },
} as const;

/** With software breakpoints on, INT3 comes to the host, at the INT3, and not to the guest. */
export default defineCases("exit/guest-debug-int3", rows, ({ reinject, trace }) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_USE_SW_BP, KVM_GUESTDBG_INJECT_BP)",
    "KVM API 5: KVM_EXIT_DEBUG",
    "SDM 3A 6.15: Interrupt 3",
  ],
  mode: "long",
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  handlers: { 3: "handler" },
  guest: asm`
    mov al, 2
    breakpoint:
    int3
    inc eax
    hlt
    handler:
    add al, 0x40
    hlt
  `,
  drive: ({ run, vcpu, write, labels }) => {
    vcpu.setGuestDebug({ softwareBreakpoints: true });
    run();
    if (reinject) {
      vcpu.setGuestDebug({ inject: "bp" });
    } else {
      vcpu.setGuestDebug();
      write(labels.get("breakpoint")!, Uint8Array.of(0x90));
    }
  },
  trace: ({ breakpoint }) => trace(breakpoint),
}));
