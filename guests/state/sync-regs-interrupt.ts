import { asm, defineCase } from "../../mod.ts";

/** The shared `interrupt_bitmap` is what KVM_GET_SREGS gives: empty once the interrupt is taken. */
export default defineCase({
  id: "state/sync-regs-interrupt",
  spec: ["KVM API 6.74: KVM_CAP_SYNC_REGS", "KVM API 4.13: KVM_GET_SREGS, interrupt_bitmap"],
  requires: [{ capability: "KVM_CAP_SYNC_REGS", atLeast: 7 }],
  withoutLens: { "sync-regs": "it uses the shared registers itself" },
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  handlers: { 0x21: "handler" },
  guest: asm`
    taken:
    out 0x10, al
    hlt
    handler:
    inc bx
    iret
  `,
  drive({ vcpu, run, assertEquals }) {
    vcpu.shared.store(["sregs"]);
    vcpu.interrupt(0x21);
    // Stores the registers while the interrupt waits.
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    const waiting = vcpu.shared.sregs().interrupt_bitmap;
    assertEquals("the bitmap while it waits", waiting, vcpu.sregs().interrupt_bitmap);
    run();
    const { interrupt_bitmap } = vcpu.shared.sregs();
    assertEquals("the bitmap when it is taken", interrupt_bitmap, vcpu.sregs().interrupt_bitmap);
    vcpu.shared.store([]);
  },
  trace: ({ taken }) => `
    > store-registers sregs
    > interrupt 0x21
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    pio out 0x10 u8 0x0
    > store-registers
    hlt
    = rbx 0x1
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
