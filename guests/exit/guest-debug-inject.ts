import { asm, defineCase } from "../../mod.ts";

/** KVM_GUESTDBG_INJECT_DB gives the guest one #DB where it stands; a second one is refused till then. */
export default defineCase({
  id: "exit/guest-debug-inject",
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_INJECT_DB)",
    "SDM 3A 6.15: Interrupt 1",
  ],
  mode: "long",
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  machine: { rflags: { set: 0x8d5n } },
  handlers: { 1: "handler" },
  guest: asm`
    hlt
    behind:
    mov bl, 2
    hlt
    handler:
    mov al, 0x41
    out 0x10, al
    iretq
  `,
  drive: ({ run, vcpu, attempt, assertEquals }) => {
    run();
    vcpu.setGuestDebug({ inject: "db" });
    const { exception } = vcpu.events();
    assertEquals("exception that waits", [exception.injected, exception.nr], [1, 1]);
    attempt(() => vcpu.setGuestDebug({ inject: "db" }));
  },
  trace: ({ behind }) => `
    hlt
    > guest-debug inject-db
    > guest-debug inject-db -> EBUSY
    pio out 0x10 u8 0x41
    hlt
    = rax 0x41
    = rbx 0x2
    = mem 0x7fd8 u64 [${behind} 0x28 0x8d7 0x8000 0x30]
  `,
});
