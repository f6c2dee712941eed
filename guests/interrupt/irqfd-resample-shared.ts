import { asm, defineCase, EventFd } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * Two eventfds that resample share a level-triggered line: the EOI lowers it and tells both; once one
 * is released it tells the other alone.
 */
export default defineCase({
  id: "interrupt/irqfd-resample-shared",
  spec: [
    "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR",
  ],
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
  mode: "long",
  irqchip: "kernel",
  withoutLens: {
    restore: "KVM does not tell which source holds an interrupt line, and lowers it with the irqfd",
  },
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    ${enableApic}
    ${redirect(18, 0x8051)}
    out 0x10, al                    ; the host signals the first
    sti
    hlt
    cli
    mov ebx, [rdi + 0x10]           ; Remote IRR
    out 0x11, al
    mov dword [rsi + 0xb0], 0       ; EOI
    mov ecx, [rdi + 0x10]
    mov edx, [rsi + 0x220]          ; nothing again
    out 0x10, al                    ; the host signals the second
    sti
    hlt
    cli
    mov dword [rsi + 0xb0], 0
    mov ebp, [rsi + 0x220]
    out 0xf4, al
    handler:
    inc eax
    iretq
  `,
  drive({ run, vm, note }) {
    using first = new EventFd();
    using second = new EventFd();
    using firstResample = new EventFd();
    using secondResample = new EventFd();
    const taken = () => {
      note("first", [], firstResample.take());
      note("second", [], secondResample.take());
    };
    run();
    vm.irq.assignEventFd(first, 18, firstResample);
    vm.irq.assignEventFd(second, 18, secondResample);
    first.signal();
    run();
    taken();
    run();
    taken();
    vm.irq.releaseEventFd(first, 18);
    second.signal();
    run();
    taken();
    vm.irq.releaseEventFd(second, 18);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irqfd 0x12 resample
    > irqfd 0x12 resample
    pio out 0x11 u8 0x1
    > first -> 0x0
    > second -> 0x0
    pio out 0x10 u8 0x1
    > first -> 0x1
    > second -> 0x1
    > irqfd-release 0x12
    pio out 0xf4 u8 0x2
    > first -> 0x0
    > second -> 0x1
    > irqfd-release 0x12
    = rax 0x2
    = rbx 0xc051
    = rcx 0x8051
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
});
