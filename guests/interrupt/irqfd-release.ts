import { asm, defineCases, EventFd } from "../../mod.ts";

const rows = {
  // What is named otherwise stays assigned.
  "another-gsi": { release: ["first", 5], pending: 0x18 },
  "another-eventfd": { release: ["third", 4], pending: 0x18 },
  "one-of-two": { release: ["first", 4], pending: 0x08 },
} as const;

/** A release takes an eventfd from the GSI that it names, and leaves others as they are. */
export default defineCases("interrupt/irqfd-release", rows, ({ release, pending }) => ({
  spec: "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_DEASSIGN (both the eventfd and the gsi)",
  requires: ["KVM_CAP_IRQFD"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    out 0x10, al                    ; the host signals
    in al, 0x20                     ; the IRR
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    using first = new EventFd();
    using second = new EventFd();
    using third = new EventFd();
    const events = { first, second, third };
    vm.irq.assignEventFd(first, 4);
    vm.irq.assignEventFd(second, 3);
    const [name, gsi] = release;
    vm.irq.releaseEventFd(events[name], gsi);
    run();
    first.signal();
    second.signal();
    // KVM's worker asserts the lines.
    const end = performance.now() + 2000;
    while (vm.irq.pic("pic-master").irr !== pending && performance.now() < end);
    run();
    assertEquals("the count is taken", first.take(), name === "first" && gsi === 4 ? 1n : 0n);
  },
  trace: `
    > irqfd 0x4
    > irqfd 0x3
    > irqfd-release 0x${release[1]}
    pio out 0x10 u8 0x0
    pio out 0xf4 u8 0x${pending.toString(16)}
    = rax 0x${pending.toString(16)}
  `,
}));
