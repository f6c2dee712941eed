import { asm, defineCases, EventFd } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const rows = {
  both: { release: false, signalled: ["0x1", "0x1"] },
  // The other one resamples on; the line is lowered as before.
  "one-released": { release: true, signalled: ["0x0", "0x1"] },
} as const;

/** Eventfds that resample one line: its EOI lowers it and tells those that are assigned. */
export default defineCases("interrupt/irqfd-resample-shared", rows, ({ release, signalled }) => ({
  spec: "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
  mode: "real",
  irqchip: "kernel",
  withoutLens: {
    restore: "KVM does not tell which source holds an interrupt line, and lowers it with the irqfd",
  },
  handlers: { 0x25: "handler" },
  guest: asm`
    ${initializePics()}
    mov al, 0x20                    ; the line is level-triggered
    mov dx, 0x4d0
    out dx, al
    out 0x10, al                    ; the host signals the second
    push word 0x202
    popf                            ; no shadow
    taken:
    jmp taken
    handler:
    out 0x11, al
    out 0x20, al                    ; OCW2: EOI
    in al, 0x20                     ; the IRR: the line is lowered
    out 0xf4, al
  `,
  drive({ run, vm, note, assertEquals }) {
    using first = new EventFd();
    using second = new EventFd();
    using firstResample = new EventFd();
    using secondResample = new EventFd();
    vm.irq.assignEventFd(first, 5, firstResample);
    vm.irq.assignEventFd(second, 5, secondResample);
    if (release) vm.irq.releaseEventFd(first, 5);
    run();
    second.signal();
    run();
    assertEquals("resampled early", [firstResample.take(), secondResample.take()], [0n, 0n]);
    run();
    note("first", [], firstResample.take());
    note("second", [], secondResample.take());
    // What holds the line when it is released lets go of it.
    second.signal();
    const line = () => vm.irq.pic("pic-master").irr & 0x20;
    const end = performance.now() + 2000;
    while (line() === 0 && performance.now() < end);
    assertEquals("the line", line(), 0x20);
    if (!release) vm.irq.releaseEventFd(first, 5);
    assertEquals("the line, with the second", line(), 0x20);
    vm.irq.releaseEventFd(second, 5);
    assertEquals("the line, released", line(), 0);
  },
  trace: ({ taken }) => `
    > irqfd 0x5 resample
    > irqfd 0x5 resample
    ${release ? "> irqfd-release 0x5" : ""}
    pio out 0x10 u8 0x20
    pio out 0x11 u8 0x20
    pio out 0xf4 u8 0x0
    > first -> ${signalled[0]}
    > second -> ${signalled[1]}
    ${release ? "" : "> irqfd-release 0x5"}
    > irqfd-release 0x5
    = rdx 0x4d0
    = rsp 0x7ffa
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
}));
