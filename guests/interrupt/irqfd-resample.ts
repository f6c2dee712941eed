import { asm, defineCases, EventFd } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

// The GSI, the chip's command port, and its edge/level control register with the line's bit.
const lines = {
  master: { gsi: 5, port: 0x20, control: 0x4d0, bit: 0x20 },
  slave: { gsi: 10, port: 0xa0, control: 0x4d1, bit: 0x04 },
};

/**
 * With a resample eventfd a signal asserts the line until the guest's EOI, which deasserts it and
 * signals the other eventfd; KVM_IRQ_LINE does not interfere.
 */
export default defineCases("interrupt/irqfd-resample", lines, ({ gsi, port, control, bit }) => ({
  spec: "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
  mode: "real",
  irqchip: "kernel",
  withoutLens: {
    restore: "KVM does not tell which source holds an interrupt line, and lowers it with the irqfd",
  },
  handlers: { [0x20 + gsi]: "handler" },
  guest: asm`
    ${initializePics({ slaveMask: 0 })}
    mov al, ${bit}                  ; the line is level-triggered
    mov dx, ${control}
    out dx, al
    mov al, 0x20
    out 0x10, al                    ; the host signals
    sti
    hlt
    cli
    in al, ${port}                  ; the IRR: the line is asserted
    mov cl, al
    mov al, 0x20
    out 0x11, al                    ; the host clears the line, which is not its own
    in al, ${port}
    mov ch, al
    mov al, 0x20
    out ${port}, al                 ; OCW2: EOI to the line's chip
    in al, ${port}                  ; the line is deasserted
    mov dl, al
    mov al, 0x20
    out 0x20, al                    ; and to the master
    out 0x12, al                    ; the host signals again
    sti
    hlt
    halted:
    cli
    out ${port}, al
    out 0xf4, al
    handler:
    inc bx
    iret
  `,
  drive({ run, vm, note }) {
    using event = new EventFd();
    using resample = new EventFd();
    vm.irq.assignEventFd(event, gsi, resample);
    run();
    event.signal();
    run();
    note("resample", [], resample.take());
    vm.irq.setLine(gsi, 0);
    run();
    note("resample", [], resample.take());
    event.signal();
    run();
    note("resample", [], resample.take());
    vm.irq.releaseEventFd(event, gsi);
  },
  trace: ({ halted }) => {
    const hex = (value: number) => `0x${value.toString(16)}`;
    return `
      > irqfd ${hex(gsi)} resample
      pio out 0x10 u8 0x20
      pio out 0x11 u8 0x20
      > resample -> 0x0
      > irq-line ${hex(gsi)} 0x0
      pio out 0x12 u8 0x20
      > resample -> 0x1
      pio out 0xf4 u8 0x20
      > resample -> 0x1
      > irqfd-release ${hex(gsi)}
      = rax 0x20
      = rbx 0x2
      = rcx ${hex(bit << 8 | bit)}
      = rdx 0x400
      = mem 0x7ffa u16 [${halted} 0x0 0x202]
    `;
  },
}));
