import { asm, defineCase, EventFd } from "../../mod.ts";

/** The last close of an eventfd takes it from its GSI: the line that it holds is lowered. */
export default defineCase({
  id: "interrupt/irqfd-closed",
  spec: [
    "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
    "virt/kvm/eventfd.c: irqfd_wakeup (EPOLLHUP: the eventfd is closing, detach from KVM)",
  ],
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`out 0xf4, al`,
  drive({ vm, assertEquals }) {
    using resample = new EventFd();
    const line = () => vm.irq.ioapic().irr & 1 << 18;
    // KVM's workers raise and lower it.
    const until = (level: number) => {
      const end = performance.now() + 2000;
      while (line() !== level << 18 && performance.now() < end);
      return line() >> 18;
    };
    const event = new EventFd();
    vm.irq.assignEventFd(event, 18, resample);
    event.signal();
    assertEquals("signalled", until(1), 1);
    event[Symbol.dispose]();
    assertEquals("closed", until(0), 0);
    using another = new EventFd();
    vm.irq.assignEventFd(another, 18, resample);
    another.signal();
    assertEquals("another one is signalled", until(1), 1);
    vm.irq.releaseEventFd(another, 18);
  },
  trace: `
    > irqfd 0x12 resample
    > irqfd 0x12 resample
    > irqfd-release 0x12
    pio out 0xf4 u8 0x0
  `,
});
