import { asm, defineCases } from "../../mod.ts";

const rows = {
  interrupt: { raise: "msi", vector: 0x30, action: "> msi address=0xfee00000 data=0x30 -> 0x1" },
  nmi: { raise: "nmi", vector: 2, action: "> nmi" },
} as const;

/** KVM_GUESTDBG_BLOCKIRQ steps past what waits, which comes when debugging is over. */
export default defineCases("debug/block-interrupts", rows, ({ raise, vector, action }) => ({
  spec: "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_BLOCKIRQ)",
  mode: "long",
  // KVM_CAP_SET_GUEST_DEBUG2 answers the flags that KVM_SET_GUEST_DEBUG takes.
  requires: [{ capability: "KVM_CAP_SET_GUEST_DEBUG2", atLeast: 0x100000 }],
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  handlers: { [vector]: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    sti
    out 0x11, al
    nop
    first:
    nop
    second:
    nop
    third:
    cli
    out 0xf4, al
    handler:
    inc ebx
    out 0x10, al
    iretq
  `,
  drive: ({ run, vm, vcpu }) => {
    run();
    // The OUT is complete behind this.
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    if (raise === "nmi") vcpu.nmi();
    else vm.irq.signalMsi({ address: 0xfee00000n, data: vector });
    for (let step = 0; step < 3; step++) {
      vcpu.setGuestDebug({ singleStep: true, blockInterrupts: true });
      run();
    }
    vcpu.setGuestDebug();
  },
  trace: ({ first, second, third }) => `
    pio out 0x11 u8 0x0
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    ${action}
    > guest-debug single-step block-interrupts
    debug exception=0x1 rip=${first} dr6=0xffff4ff0
    > guest-debug single-step block-interrupts
    debug exception=0x1 rip=${second} dr6=0xffff4ff0
    > guest-debug single-step block-interrupts
    debug exception=0x1 rip=${third} dr6=0xffff4ff0
    > guest-debug off
    pio out 0x10 u8 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x1
    = mem 0x7fd8 u64 [${third} 0x28 0x202 0x8000 0x30]
  `,
}));
