import { asm, defineCases, EventFd } from "../../mod.ts";

const irqchips = {
  none: {
    irqchip: "none",
    expected: `
      > irqfd 0x4 -> EINVAL
      > irqfd 0x4 resample -> EINVAL`,
  },
  split: {
    irqchip: "split",
    expected: `
      > irqfd 0x4
      > irqfd 0x5 -> EBUSY
      > irqfd 0x4 resample -> EINVAL
      > irqfd-release 0x4
      > irqfd 0x5`,
  },
  kernel: {
    irqchip: "kernel",
    expected: `
      > irqfd 0x4
      > irqfd 0x5 -> EBUSY
      > irqfd 0x5 resample
      > irqfd-release 0x4
      > irqfd 0x5`,
  },
} as const;

/**
 * An eventfd serves one GSI at a time; one needs an interrupt controller in the kernel, and one that
 * resamples a whole one.
 */
export default defineCases("interrupt/irqfd-errno", irqchips, ({ irqchip, expected }) => ({
  spec: "KVM API 4.75: KVM_IRQFD",
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE"],
  mode: "real",
  irqchip,
  guest: asm`
    out 0xf4, al
  `,
  drive({ vm, attempt }) {
    using event = new EventFd();
    using other = new EventFd();
    using resample = new EventFd();
    attempt(() => vm.irq.assignEventFd(event, 4));
    if (irqchip !== "none") attempt(() => vm.irq.assignEventFd(event, 5));
    attempt(() => vm.irq.assignEventFd(other, irqchip === "kernel" ? 5 : 4, resample));
    if (irqchip === "none") return;
    vm.irq.releaseEventFd(event, 4);
    vm.irq.assignEventFd(event, 5);
  },
  trace: `
    ${expected}
    pio out 0xf4 u8 0x0
  `,
}));
