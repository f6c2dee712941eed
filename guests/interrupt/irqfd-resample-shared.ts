import { asm, defineCases, EventFd } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const [GSI, BIT] = [5, 0x20];

/** Which of the two devices on the line signal before each of the two interrupts. */
const rows = {
  "first": { signals: [[0], [0]] },
  "second": { signals: [[1], [1]] },
  "both": { signals: [[0, 1], [1, 0]] },
  // The line stays with the one that is left.
  "after-release-of-first": { signals: [[0, 1], [1]], release: 0 },
  "after-release-of-second": { signals: [[0, 1], [0]], release: 1 },
} satisfies Record<string, Row>;

interface Row {
  readonly signals: readonly (readonly number[])[];
  /** Released between the two interrupts. */
  readonly release?: number;
}

/** Devices that share a line are all told of the guest's EOI, whichever asserted it. */
export default defineCases(
  "interrupt/irqfd-resample-shared",
  rows,
  ({ signals, release }: Row) => ({
    spec: "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
    requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
    mode: "real",
    irqchip: "kernel",
    withoutLens: {
      restore:
        "KVM does not tell which source holds an interrupt line, and lowers it with the irqfd",
    },
    handlers: { [0x20 + GSI]: "handler" },
    guest: asm`
    ${initializePics()}
    mov al, ${BIT}                  ; the line is level-triggered
    mov dx, 0x4d0
    out dx, al
    mov al, 0x20
    out 0x10, al                    ; the host signals
    sti
    nop
    cli
    in al, 0x20                     ; the IRR: the line is asserted
    mov cl, al
    mov al, 0x20
    out 0x20, al                    ; OCW2: EOI
    in al, 0x20                     ; the line is deasserted
    mov ch, al
    mov al, 0x20
    out 0x12, al                    ; the host signals again
    sti
    hlt
    halted:
    cli
    in al, 0x20
    mov dl, al
    mov al, 0x20
    out 0x20, al
    in al, 0x20
    mov dh, al
    mov al, 0x20
    out 0xf4, al
    handler:
    inc bx
    iret
  `,
    drive({ run, vm, note, assertEquals }) {
      using firstEvent = new EventFd();
      using secondEvent = new EventFd();
      using firstResample = new EventFd();
      using secondResample = new EventFd();
      const events = [firstEvent, secondEvent];
      const resamples = [firstResample, secondResample];
      const told = () => resamples.forEach((resample) => note("resample", [], resample.take()));
      events.forEach((event, index) => vm.irq.assignEventFd(event, GSI, resamples[index]));
      run();
      signals[0].forEach((index) => events[index].signal());
      run();
      told();
      if (release !== undefined) vm.irq.releaseEventFd(events[release], GSI);
      signals[1].forEach((index) => events[index].signal());
      run();
      told();
      events.forEach((event, index) => {
        if (index !== release) vm.irq.releaseEventFd(event, GSI);
      });
    },
    trace: ({ halted }) => `
    > irqfd 0x5 resample
    > irqfd 0x5 resample
    pio out 0x10 u8 0x20
    pio out 0x12 u8 0x20
    > resample -> 0x1
    > resample -> 0x1
    ${release === undefined ? "" : "> irqfd-release 0x5"}
    pio out 0xf4 u8 0x20
    > resample -> ${release === 0 ? "0x0" : "0x1"}
    > resample -> ${release === 1 ? "0x0" : "0x1"}
    ${release === undefined ? "> irqfd-release 0x5" : ""}
    > irqfd-release 0x5
    = rax 0x20
    = rbx 0x2
    = rcx 0x20
    = rdx 0x20
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
  }),
);
