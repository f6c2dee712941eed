import { ArgumentError, integer, shown, unsigned32 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { kvm_irq_level, kvm_irqfd, kvm_msi, kvm_pit_config } from "../../ffi/abi/interrupts.ts";
import { EventFd } from "../../ffi/eventfd.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { ChipState } from "./chip_state.ts";
import { ioctlBuffer, ioctlValue } from "./ioctl.ts";
import { addressHalves, encodeRouting, type Msi, type Route } from "./routing.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** The interrupt controllers and timers that KVM emulates for a VM, and the lines into them. */
export class Interrupts extends ChipState {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #configuration: VmConfiguration;
  #eventFds: { event: EventFd; gsi: number; resample?: EventFd }[] = [];

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    super(fd, observed, configuration);
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
   * @throws {ArgumentError} when the flags are not 32 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  createPit(flags: number = 0): void {
    unsigned32("the flags of a PIT", flags);
    act(this.#observed, "pit", flags === 0 ? [] : [["flags", flags]], () => {
      const view = new DataView(new ArrayBuffer(kvm_pit_config.size));
      view.setUint32(kvm_pit_config.fields.flags[0], flags, true);
      ioctlBuffer(this.#fd, "KVM_CREATE_PIT2", view);
    });
    this.#configuration.pit = flags;
  }

  /**
   * Makes an i8254 timer with port 0x61 (KVM_CREATE_PIT, which KVM_CREATE_PIT2 replaces;
   * KVM_CAP_PIT).
   *
   * @throws {KvmError} EEXIST when there is one, ENOENT without an interrupt controller.
   * @throws {DisposedError} after disposal of the VM.
   */
  createPit1(): void {
    act(this.#observed, "pit1", [], () => ioctlValue(this.#fd, "KVM_CREATE_PIT"));
    this.#configuration.pit = constants.KVM_PIT_SPEAKER_DUMMY;
  }

  /**
   * Sets the level of an interrupt line (KVM_IRQ_LINE, KVM API 4.25).
   *
   * @param gsi the global system interrupt; by default 0 to 15 reach PIC and IOAPIC
   * @param level 1 asserts, 0 deasserts
   * @throws {KvmError} ENXIO without an in-kernel interrupt controller.
   * @throws {ArgumentError} when the GSI is not 32 bits or the level not 0 or 1.
   * @throws {DisposedError} after disposal of the VM.
   */
  setLine(gsi: number, level: 0 | 1): void {
    checkLine(gsi, level);
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
   * @throws {ArgumentError} when the GSI is not 32 bits or the level not 0 or 1.
   * @throws {DisposedError} after disposal of the VM.
   */
  setLineStatus(gsi: number, level: 0 | 1): number {
    checkLine(gsi, level);
    return act(this.#observed, "irq-line-status", [gsi, level], () => {
      const view = irqLevel(gsi, level);
      ioctlBuffer(this.#fd, "KVM_IRQ_LINE_STATUS", view, `GSI ${gsi}`);
      return view.getInt32(0, true);
    }, (status) => status < 0 ? "ignored" : BigInt(status));
  }

  /**
   * Delivers a message-signalled interrupt (KVM_SIGNAL_MSI, KVM API 4.71).
   *
   * @returns above 0 delivered, 0 blocked by the guest
   * @throws {KvmError} EINVAL without an in-kernel local APIC, or for flags.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  signalMsi(msi: Msi): number {
    const halves = addressHalves(msi);
    const data = unsigned32("the data of an MSI", msi.data);
    const flags = unsigned32("the flags of an MSI", msi.flags ?? 0);
    const operands: ActionOperand[] = [["address", BigInt(msi.address)], ["data", data]];
    if (flags !== 0) operands.push(["flags", flags]);
    return act(this.#observed, "msi", operands, () => {
      const view = new DataView(new ArrayBuffer(kvm_msi.size));
      encode(kvm_msi, view, { ...halves, data, flags, devid: 0 });
      return ioctlBuffer(this.#fd, "KVM_SIGNAL_MSI", view);
    }, (delivered) => BigInt(delivered));
  }

  /**
   * Replaces the whole routing table (KVM_SET_GSI_ROUTING, KVM API 4.52).
   *
   * @param flags 0; none is defined
   * @throws {KvmError} EINVAL when a route or the flags are invalid, or there are more routes than
   * KVM_CAP_IRQ_ROUTING answers.
   * @throws {ArgumentError} when a route is of no kind or a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  setRouting(routes: readonly Route[], flags: number = 0): void {
    const view = encodeRouting(routes, flags);
    act(this.#observed, "routing", [["entries", routes.length]], () => {
      ioctlBuffer(this.#fd, "KVM_SET_GSI_ROUTING", view, `${routes.length} routes`);
    });
    this.#configuration.routing = [...routes];
  }

  /**
   * Lets an eventfd raise a GSI (KVM_IRQFD, KVM API 4.75).
   *
   * @param resample signalled when the guest acknowledges a level-triggered interrupt
   * @throws {KvmError} EINVAL without an in-kernel interrupt controller, EBUSY when already
   * assigned.
   * @throws {ArgumentError} when an event is none or the GSI not 32 bits.
   * @throws {DisposedError} after disposal of the VM or of an eventfd.
   */
  assignEventFd(event: EventFd, gsi: number, resample?: EventFd): void {
    checkEvent("the event", event);
    if (resample !== undefined) checkEvent("the event of resampling", resample);
    unsigned32("a GSI", gsi);
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
   * @throws {KvmError} EBADF when the eventfd is closed.
   * @throws {ArgumentError} when the event is none or the GSI not 32 bits.
   * @throws {DisposedError} after disposal of the VM or of the eventfd.
   */
  releaseEventFd(event: EventFd, gsi: number): void {
    checkEvent("the event", event);
    unsigned32("a GSI", gsi);
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
    this.#fd.number;
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
    this.#fd.number;
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
}

function checkEvent(what: string, event: unknown): void {
  if (event instanceof EventFd) return;
  throw new ArgumentError(`${what} is ${shown(event)}: give an EventFd`);
}

function checkLine(gsi: number, level: number): void {
  unsigned32("a GSI", gsi);
  integer("the level of a line", level, 0, 1);
}

function irqLevel(irq: number, level: number): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(kvm_irq_level.size));
  view.setUint32(0, irq, true);
  view.setUint32(4, level, true);
  return view;
}
