import { asm, defineCases, type ModeName } from "../../mod.ts";

/** `dr7` enables one of the four addresses for execution; `dr6` names it. */
const rows: Record<string, { mode: ModeName; place: 0 | 1 | 2 | 3; dr7: bigint; dr6: string }> = {
  "dr0-real": { mode: "real", place: 0, dr7: 0x401n, dr6: "0xffff0ff1" },
  "dr1-protected": { mode: "protected", place: 1, dr7: 0x408n, dr6: "0xffff0ff2" },
  "dr2-long": { mode: "long", place: 2, dr7: 0x410n, dr6: "0xffff0ff4" },
  "dr3-long": { mode: "long", place: 3, dr7: 0x480n, dr6: "0xffff0ff8" },
};

/** A hardware breakpoint of the host's exits before the instruction, and the guest has its own DRs. */
export default defineCases("exit/guest-debug-breakpoint", rows, ({ mode, place, dr7, dr6 }) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_USE_HW_BP)",
    "KVM API 5: KVM_EXIT_DEBUG",
    "SDM 3B 18.2.3, 18.2.4: DR6, DR7",
  ],
  mode,
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  guest: asm`
    mov al, 1
    stop:
    add al, 0x20
    passed:
    add al, 0x40
    hlt
  `,
  drive: ({ run, vcpu, labels, assertEquals }) => {
    const guestsOwn = vcpu.debugRegs();
    const addresses = [0n, 0n, 0n, 0n];
    addresses[place] = labels.get("stop")!;
    vcpu.setGuestDebug({ hardwareBreakpoints: { addresses, dr7 } });
    run();
    assertEquals("RAX at the breakpoint", vcpu.regs().rax, 1n);
    assertEquals("the guest's debug registers", vcpu.debugRegs(), guestsOwn);
    vcpu.setGuestDebug();
  },
  trace: ({ stop }) => `
    > guest-debug hardware-breakpoints
    debug exception=0x1 rip=${stop} dr6=${dr6}
    > guest-debug off
    hlt
    = rax 0x61
  `,
}));
