import { asm, defineCase, EventFd } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/**
 * With a resample eventfd a signal asserts the line until the guest's EOI, which deasserts it and
 * signals the other eventfd; KVM_IRQ_LINE does not interfere.
 */
export default defineCase({
  id: "interrupt/irqfd-resample",
  spec: "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x25: "irq5" },
  guest: asm`
    ${initializePics()}
    mov al, 0x20                    ; IRQ5 is level-triggered
    mov dx, 0x4d0
    out dx, al
    out 0x10, al                    ; the host signals
    sti
    hlt
    cli
    in al, 0x20                     ; the IRR: the line is asserted
    mov cl, al
    mov al, 0x20
    out 0x11, al                    ; the host clears the line, which is not its own
    in al, 0x20
    mov ch, al
    mov al, 0x20
    out 0x20, al                    ; OCW2: EOI
    in al, 0x20                     ; the line is deasserted
    mov dl, al
    mov al, 0x20
    out 0x12, al                    ; the host signals again
    sti
    hlt
    halted:
    cli
    out 0x20, al
    out 0xf4, al
    irq5:
    inc bx
    iret
  `,
  drive({ run, vm, note }) {
    using event = new EventFd();
    using resample = new EventFd();
    vm.irq.assignEventFd(event, 5, resample);
    run();
    event.signal();
    run();
    note("resample", [], resample.take());
    vm.irq.setLine(5, 0);
    run();
    note("resample", [], resample.take());
    event.signal();
    run();
    note("resample", [], resample.take());
    vm.irq.releaseEventFd(event, 5);
  },
  trace: ({ halted }) => `
    > irqfd 0x5 resample
    pio out 0x10 u8 0x20
    pio out 0x11 u8 0x20
    > resample -> 0x0
    > irq-line 0x5 0x0
    pio out 0x12 u8 0x20
    > resample -> 0x1
    pio out 0xf4 u8 0x20
    > resample -> 0x1
    > irqfd-release 0x5
    = rax 0x20
    = rbx 0x2
    = rcx 0x2020
    = rdx 0x400
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
});
