import { asm, defineCase, EventFd } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * Unmasking a level-triggered pin on which an eventfd that resamples waits asks for the line's state
 * in place of interrupting; while the device still asserts it, it signals again and interrupts.
 */
export default defineCase({
  id: "interrupt/ioapic-unmask-resample",
  spec: [
    "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
    "arch/x86/kvm/ioapic.c: ioapic_write_indirect, on a line that fell while it was masked",
  ],
  // Kernels before the one that has the last interrupt at once.
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE", "KVM_CAP_X86_GUEST_MODE"],
  mode: "long",
  irqchip: "kernel",
  withoutLens: {
    restore: "KVM does not tell which source holds an interrupt line, and lowers it with the irqfd",
  },
  registers: apicRegisters,
  guest: asm`
    ${enableApic}
    ${redirect(18, 0x18051)}
    out 0x10, al                    ; the host signals
    mov dword [rdi + 0x10], 0x8051
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov ecx, [rdi + 0x10]
    out 0x11, al                    ; and again
    mov edx, [rsi + 0x220]
    mov ebp, [rdi + 0x10]
    out 0xf4, al
  `,
  drive({ run, vm, note, assertEquals }) {
    using event = new EventFd();
    using resample = new EventFd();
    // KVM's worker asserts the line.
    const untilAsserted = () => {
      const end = performance.now() + 2000;
      while ((vm.irq.ioapic().irr & 1 << 18) === 0 && performance.now() < end);
      assertEquals("line asserted", vm.irq.ioapic().irr, 1 << 18);
    };
    vm.irq.assignEventFd(event, 18, resample);
    run();
    event.signal();
    untilAsserted();
    note("resample", [], resample.take());
    run();
    note("resample", [], resample.take());
    assertEquals("line", vm.irq.ioapic().irr, 0);
    event.signal();
    untilAsserted();
    run();
    note("resample", [], resample.take());
    vm.irq.releaseEventFd(event, 18);
  },
  trace: `
    > irqfd 0x12 resample
    pio out 0x10 u8 0x0
    > resample -> 0x0
    pio out 0x11 u8 0x0
    > resample -> 0x1
    pio out 0xf4 u8 0x0
    > resample -> 0x0
    > irqfd-release 0x12
    = rcx 0x8051
    = rdx 0x20000
    = rbp 0xc051
  `,
});
