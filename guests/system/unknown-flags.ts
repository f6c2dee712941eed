import { asm, defineCases, type DriveContext, EventFd, ioctl } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** The bytes of a structure with 32-bit words at some offsets. */
function words(size: number, ...at: [offset: number, value: number][]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  for (const [offset, value] of at) view.setUint32(offset, value, true);
  return new Uint8Array(view.buffer);
}

interface Row {
  readonly clause: string;
  readonly call: (context: Pick<DriveContext, "vm" | "vcpu">, event: EventFd) => unknown;
}

const rows: Record<string, Row> = {
  routing: {
    clause: "KVM API 4.52: no flags are specified",
    call: ({ vm }) => vm.irq.setRouting([{ gsi: 4, chip: "ioapic", pin: 4 }], 1),
  },
  "routing-entry": {
    clause: "KVM API 4.52: zero otherwise",
    call: ({ vm }) => vm.irq.setRouting([{ gsi: 4, chip: "ioapic", pin: 4, flags: 0x80 }]),
  },
  msi: {
    clause: "KVM API 4.71: KVM_SIGNAL_MSI, flags",
    call: ({ vm }) => vm.irq.signalMsi({ address: 0xfee00000, data: 0x31, flags: 0x80 }),
  },
  irqfd: {
    clause: "KVM API 4.75: KVM_IRQFD, flags",
    // fd, gsi, flags
    call: ({ vm }, { fd }) => ioctl(vm, "KVM_IRQFD", words(32, [0, fd], [4, 4], [8, 0x80])),
  },
  ioeventfd: {
    clause: "KVM API 4.59: KVM_IOEVENTFD, flags",
    // addr, len, fd, flags
    call: ({ vm }, { fd }) =>
      ioctl(vm, "KVM_IOEVENTFD", words(64, [8, 0x1000], [16, 1], [20, fd], [24, 0x80])),
  },
  "enable-capability": {
    clause: "KVM API 4.37: flags of KVM_ENABLE_CAP should be 0",
    // cap: KVM_CAP_HALT_POLL
    call: ({ vm }) => ioctl(vm, "KVM_ENABLE_CAP", words(104, [0, 182], [4, 1])),
  },
  "unknown-capability": {
    clause: "KVM API 4.37: KVM_ENABLE_CAP",
    call: ({ vm }) => ioctl(vm, "KVM_ENABLE_CAP", words(104, [0, 0x7fffffff])),
  },
  "unknown-capability-of-a-vcpu": {
    clause: "KVM API 4.37: KVM_ENABLE_CAP",
    call: ({ vcpu }) => ioctl(vcpu, "KVM_ENABLE_CAP", words(104, [0, 0x7fffffff])),
  },
  "debug-registers": {
    clause: "KVM API 4.34: flags of KVM_SET_DEBUGREGS",
    call: ({ vcpu }) => vcpu.setDebugRegs({ ...vcpu.debugRegs(), flags: 1n }),
  },
  "extended-control-registers": {
    clause: "KVM API 4.45: KVM_SET_XCRS, flags",
    // nr_xcrs, flags
    call: ({ vcpu }) => ioctl(vcpu, "KVM_SET_XCRS", words(392, [4, 1])),
  },
  "too-many-extended-control-registers": {
    clause: "KVM API 4.45: KVM_SET_XCRS, nr_xcrs (there is room for 16)",
    call: ({ vcpu }) => ioctl(vcpu, "KVM_SET_XCRS", words(392, [0, 17])),
  },
  "tpr-access-reporting": {
    clause: "KVM API 3: KVM_TPR_ACCESS_REPORTING, flags",
    // enabled, flags
    call: ({ vcpu }) => ioctl(vcpu, "KVM_TPR_ACCESS_REPORTING", words(40, [0, 1], [4, 1])),
  },
  events: {
    clause: "KVM API 4.32: flags of KVM_SET_VCPU_EVENTS",
    call: ({ vcpu }) => vcpu.setEvents({ ...vcpu.events(), flags: 0x80000000 }),
  },
};

/** A flag that no document knows is EINVAL, and nothing has changed. */
export default defineCases("system/unknown-flags", rows, ({ clause, call }) => ({
  spec: clause,
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_IRQ_ROUTING", "KVM_CAP_IRQFD", "KVM_CAP_IOEVENTFD", "KVM_CAP_SIGNAL_MSI"],
  guest: asm`
    out 0x10, al
    in al, 0x20
    out 0xf4, al
  `,
  drive(context) {
    const { vm, run, assertEquals } = context;
    using event = new EventFd();
    run();
    const { observer } = vm;
    vm.observer = undefined;
    assertEquals("the answer", refusal(() => call(context, event)), "EINVAL");
    event.signal();
    vm.observer = observer;
    // The default routes are still there: GSI 4 reaches the PIC.
    vm.irq.setLine(4, 1);
  },
  trace: `
    pio out 0x10 u8 0x0
    > irq-line 0x4 0x1
    pio out 0xf4 u8 0x10
    = rax 0x10
  `,
}));
