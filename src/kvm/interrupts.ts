import { constants } from "../../ffi/abi/constants.ts";
import { encode } from "../../ffi/abi/layout.ts";
import {
  kvm_irq_level,
  kvm_irq_routing,
  kvm_irq_routing_entry_irqchip,
  kvm_irq_routing_entry_msi,
  kvm_irqchip,
  kvm_irqfd,
  kvm_msi,
  kvm_pit_config,
} from "../../ffi/abi/interrupts.ts";
import type { EventFd } from "../../ffi/eventfd.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** A message-signalled interrupt, as a device would write it. */
export interface Msi {
  /** The address written to, usually 0xfee00000 and the destination. */
  readonly address: bigint | number;
  /** The 32 bits written: vector, delivery mode, level, trigger mode. */
  readonly data: number;
}

/** What a GSI is connected to (KVM_SET_GSI_ROUTING, KVM API 4.52). */
export type Route =
  | {
    readonly gsi: number;
    /** A pin of an in-kernel chip. */
    readonly chip: InterruptChip;
    readonly pin: number;
  }
  | {
    readonly gsi: number;
    readonly msi: Msi;
  };

/** An in-kernel interrupt controller of a VM. */
export type InterruptChip = "pic-master" | "pic-slave" | "ioapic";

const chips: Readonly<Record<InterruptChip, number>> = {
  "pic-master": 0,
  "pic-slave": 1,
  ioapic: 2,
};

/** The interrupt controllers and timers that KVM emulates for a VM, and the lines into them. */
export class Interrupts {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #configuration: VmConfiguration;
  #eventFds: { event: EventFd; gsi: number; resample?: EventFd }[] = [];

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#observed = observed;
    this.#configuration = configuration;
  }

  /**
   * Makes two PICs, an IOAPIC and a local APIC for each vCPU to come (KVM_CREATE_IRQCHIP, KVM API
   * 4.24).
   *
   * @throws {KvmError} EEXIST when there is one, EINVAL when a vCPU was made before.
   * @throws {DisposedError} after disposal of the VM.
   */
  createIrqchip(): void {
    act(this.#observed, "irqchip", [], () => ioctlValue(this.#fd, "KVM_CREATE_IRQCHIP"));
    this.#configuration.irqchip = true;
  }

  /**
   * Makes an i8254 timer (KVM_CREATE_PIT2, KVM API 4.71).
   *
   * @param flags bit 0 (KVM_PIT_SPEAKER_DUMMY): port 0x61 too
   * @throws {KvmError} EEXIST when there is one, ENOENT without an interrupt controller.
   * @throws {DisposedError} after disposal of the VM.
   */
  createPit(flags: number = 0): void {
    act(this.#observed, "pit", flags === 0 ? [] : [["flags", flags]], () => {
      const view = new DataView(new ArrayBuffer(kvm_pit_config.size));
      view.setUint32(kvm_pit_config.fields.flags[0], flags, true);
      ioctlBuffer(this.#fd, "KVM_CREATE_PIT2", view);
    });
    this.#configuration.pit = flags;
  }

  /**
   * Sets the level of an interrupt line (KVM_IRQ_LINE, KVM API 4.25).
   *
   * @param gsi the global system interrupt; by default 0 to 15 reach PIC and IOAPIC
   * @param level 1 asserts, 0 deasserts
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {DisposedError} after disposal of the VM.
   */
  setLine(gsi: number, level: 0 | 1): void {
    act(this.#observed, "irq-line", [gsi, level], () => {
      ioctlBuffer(this.#fd, "KVM_IRQ_LINE", irqLevel(gsi, level), `GSI ${gsi}`);
    });
  }

  /**
   * Sets the level of an interrupt line and tells what became of it (KVM_IRQ_LINE_STATUS, KVM API
   * 4.25).
   *
   * @returns how many vCPUs it was delivered to; 0 when coalesced; -1 when ignored
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {DisposedError} after disposal of the VM.
   */
  setLineStatus(gsi: number, level: 0 | 1): number {
    return act(this.#observed, "irq-line-status", [gsi, level], () => {
      const view = irqLevel(gsi, level);
      ioctlBuffer(this.#fd, "KVM_IRQ_LINE_STATUS", view, `GSI ${gsi}`);
      return view.getInt32(0, true);
    }, (status) => status < 0 ? "ignored" : BigInt(status));
  }

  /**
   * Delivers a message-signalled interrupt (KVM_SIGNAL_MSI, KVM API 4.70).
   *
   * @returns above 0 delivered, 0 blocked by the guest
   * @throws {KvmError} EINVAL without an in-kernel local APIC.
   * @throws {DisposedError} after disposal of the VM.
   */
  signalMsi(msi: Msi): number {
    const address = BigInt(msi.address);
    const operands: ActionOperand[] = [["address", address], ["data", msi.data]];
    return act(this.#observed, "msi", operands, () => {
      const view = new DataView(new ArrayBuffer(kvm_msi.size));
      view.setUint32(kvm_msi.fields.address_lo[0], Number(address & 0xffffffffn), true);
      view.setUint32(kvm_msi.fields.address_hi[0], Number(address >> 32n), true);
      view.setUint32(kvm_msi.fields.data[0], msi.data, true);
      return ioctlBuffer(this.#fd, "KVM_SIGNAL_MSI", view);
    }, (delivered) => BigInt(delivered));
  }

  /**
   * Replaces the whole routing table (KVM_SET_GSI_ROUTING, KVM API 4.52).
   *
   * @throws {KvmError} EINVAL when a route is invalid.
   * @throws {DisposedError} after disposal of the VM.
   */
  setRouting(routes: readonly Route[]): void {
    act(this.#observed, "routing", [["entries", routes.length]], () => {
      const { size } = kvm_irq_routing_entry_irqchip;
      const view = new DataView(new ArrayBuffer(kvm_irq_routing.size + routes.length * size));
      encode(kvm_irq_routing, view, { nr: routes.length, flags: 0 });
      routes.forEach((route, index) => {
        encodeRoute(view, kvm_irq_routing.size + index * size, route);
      });
      ioctlBuffer(this.#fd, "KVM_SET_GSI_ROUTING", view);
    });
    this.#configuration.routing = [...routes];
  }

  /**
   * Lets an eventfd raise a GSI (KVM_IRQFD, KVM API 4.75).
   *
   * @param resample signalled when the guest acknowledges a level-triggered interrupt
   * @throws {KvmError} EINVAL without an in-kernel interrupt controller, EBUSY when already
   * assigned.
   * @throws {DisposedError} after disposal of the VM or of an eventfd.
   */
  assignEventFd(event: EventFd, gsi: number, resample?: EventFd): void {
    const operands: ActionOperand[] = resample === undefined ? [gsi] : [gsi, "resample"];
    act(this.#observed, "irqfd", operands, () => {
      const flags = resample === undefined ? 0 : constants.KVM_IRQFD_FLAG_RESAMPLE;
      this.#irqfd(event, gsi, flags, resample?.fd ?? 0);
    });
    this.#eventFds.push({ event, gsi, resample });
  }

  /**
   * Undoes {@link assignEventFd}.
   *
   * @throws {KvmError} when KVM refuses.
   * @throws {DisposedError} after disposal of the VM or of the eventfd.
   */
  releaseEventFd(event: EventFd, gsi: number): void {
    act(this.#observed, "irqfd-release", [gsi], () => {
      this.#irqfd(event, gsi, constants.KVM_IRQFD_FLAG_DEASSIGN, 0);
    });
    this.#eventFds = this.#eventFds.filter((known) => known.event !== event || known.gsi !== gsi);
  }

  /**
   * Undoes {@link assignEventFd} for a while: an interrupt that is on its way is there when it
   * returns. One that resamples stays, since KVM would deassert its line.
   *
   * @throws {KvmError} when KVM refuses.
   * @throws {DisposedError} after disposal of the VM.
   */
  quiesceEventFds(): void {
    this.#eventFds = this.#eventFds.filter(({ event }) => !event.disposed);
    for (const { event, gsi, resample } of this.#eventFds) {
      if (resample === undefined) this.#irqfd(event, gsi, constants.KVM_IRQFD_FLAG_DEASSIGN, 0);
    }
  }

  /**
   * Assigns the eventfds again, in a VM that has none of them.
   *
   * @throws {KvmError} when KVM refuses one.
   * @throws {DisposedError} after disposal of the VM or of an eventfd.
   */
  renewEventFds(): void {
    for (const { event, gsi, resample } of this.#eventFds) {
      const flags = resample === undefined ? 0 : constants.KVM_IRQFD_FLAG_RESAMPLE;
      this.#irqfd(event, gsi, flags, resample?.fd ?? 0);
    }
  }

  #irqfd(event: EventFd, gsi: number, flags: number, resample: number): void {
    const view = new DataView(new ArrayBuffer(kvm_irqfd.size));
    const { fields } = kvm_irqfd;
    view.setUint32(fields.fd[0], event.fd, true);
    view.setUint32(fields.gsi[0], gsi, true);
    view.setUint32(fields.flags[0], flags, true);
    view.setUint32(fields.resamplefd[0], resample, true);
    ioctlBuffer(this.#fd, "KVM_IRQFD", view, `GSI ${gsi}`);
  }

  /**
   * The registers of an in-kernel chip (KVM_GET_IRQCHIP, KVM API 4.26), as its 512 raw bytes.
   *
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {DisposedError} after disposal of the VM.
   */
  chipState(chip: InterruptChip): Uint8Array {
    const view = new DataView(new ArrayBuffer(kvm_irqchip.size));
    view.setUint32(0, chips[chip], true);
    ioctlBuffer(this.#fd, "KVM_GET_IRQCHIP", view, chip);
    return new Uint8Array(view.buffer, 8);
  }
}

function encodeRoute(view: DataView, at: number, route: Route): void {
  const { gsi } = route;
  if ("msi" in route) {
    const address = BigInt(route.msi.address);
    const msi = {
      address_lo: Number(address & 0xffffffffn),
      address_hi: Number(address >> 32n),
      data: route.msi.data,
      devid: 0,
    };
    const type = constants.KVM_IRQ_ROUTING_MSI;
    encode(kvm_irq_routing_entry_msi, view, { gsi, type, flags: 0, u: { msi } }, at);
  } else {
    const irqchip = { irqchip: chips[route.chip], pin: route.pin };
    const type = constants.KVM_IRQ_ROUTING_IRQCHIP;
    encode(kvm_irq_routing_entry_irqchip, view, { gsi, type, flags: 0, u: { irqchip } }, at);
  }
}

function irqLevel(irq: number, level: number): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(kvm_irq_level.size));
  view.setUint32(0, irq, true);
  view.setUint32(4, level, true);
  return view;
}
