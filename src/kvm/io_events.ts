import { ArgumentError, object, oneOf, shown, unsigned32, unsigned64 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_ioeventfd } from "../../ffi/abi/interrupts.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { kvm_coalesced_mmio_zone } from "../../ffi/abi/memory.ts";
import { EventFd } from "../../ffi/eventfd.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import type { CoalescedZone } from "./coalesced.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** A guest access that signals an eventfd (KVM_IOEVENTFD, KVM API 4.59). */
export interface IoEvent {
  /** Whether the address is a port or guest physical. */
  readonly space: "pio" | "mmio";
  /** Where: 0 to 0xffff, or a guest physical address. */
  readonly address: bigint | number;
  /** Bytes of the access: 1, 2, 4 or 8, or 0 for any. */
  readonly size: number;
  /** Only a write of this value signals. */
  readonly match?: bigint | number;
}

/** The accesses of a VM that the kernel takes instead of exiting: for an eventfd, or into a ring. */
export class IoEvents {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #configuration: VmConfiguration;
  #assigned: { event: EventFd; access: IoEvent }[] = [];
  readonly #sinks: EventFd[] = [];

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#observed = observed;
    this.#configuration = configuration;
  }

  /**
   * Lets a guest's write signal an eventfd (KVM_IOEVENTFD, KVM API 4.59).
   *
   * @throws {KvmError} EEXIST when the same access is assigned, EINVAL when its size is invalid.
   * @throws {ArgumentError} when the event is none or a number not in range.
   * @throws {DisposedError} after disposal of the VM or of the eventfd.
   */
  assign(event: EventFd, access: IoEvent): void {
    check(event, access);
    act(this.#observed, "ioeventfd", operands(access), () => this.#set(event, access, 0));
    this.#assigned.push({ event, access });
  }

  /**
   * Undoes {@link assign}.
   *
   * @throws {KvmError} ENOENT when no such access is assigned.
   * @throws {ArgumentError} when the event is none or a number not in range.
   * @throws {DisposedError} after disposal of the VM or of the eventfd.
   */
  release(event: EventFd, access: IoEvent): void {
    check(event, access);
    act(
      this.#observed,
      "ioeventfd-release",
      operands(access),
      () => this.#set(event, access, constants.KVM_IOEVENTFD_FLAG_DEASSIGN),
    );
    const released = operands(access).join();
    this.#assigned = this.#assigned.filter((known) => {
      return known.event !== event || operands(known.access).join() !== released;
    });
  }

  /**
   * Assigns the eventfds again, in a VM that has none of them.
   *
   * @throws {KvmError} when KVM refuses one.
   * @throws {DisposedError} after disposal of the VM or of an eventfd.
   */
  renewEventFds(): void {
    this.#fd.number;
    for (const { event, access } of this.#assigned) {
      this.#set(event.disposed ? this.#sink() : event, access, 0);
    }
  }

  /** KVM keeps an eventfd that its owner has closed: the write is taken, and nobody hears of it. */
  #sink(): EventFd {
    const event = new EventFd();
    this.#sinks.push(event);
    return event;
  }

  /** Closes what {@link renewEventFds} made. */
  [Symbol.dispose](): void {
    for (const event of this.#sinks.splice(0)) event[Symbol.dispose]();
  }

  /**
   * Lets KVM keep a range's writes in a ring that {@link Vcpu.takeCoalesced} empties; when the ring
   * is full, they exit (KVM_REGISTER_COALESCED_MMIO, KVM API 4.116).
   *
   * @throws {KvmError} EINVAL without KVM_CAP_COALESCED_PIO for ports, ENOSPC when the bus is full.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  coalesce(zone: CoalescedZone): void {
    this.#zone("coalesce", "KVM_REGISTER_COALESCED_MMIO", zone);
    this.#configuration.coalesced.push(zone);
  }

  /**
   * Undoes {@link coalesce} for every zone that holds all of this one
   * (KVM_UNREGISTER_COALESCED_MMIO, KVM API 4.116).
   *
   * @throws {KvmError} EINVAL without KVM_CAP_COALESCED_PIO for ports.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal of the VM.
   */
  stopCoalescing(zone: CoalescedZone): void {
    this.#zone("coalesce-stop", "KVM_UNREGISTER_COALESCED_MMIO", zone);
    const { coalesced } = this.#configuration;
    this.#configuration.coalesced = coalesced.filter((known) => !holds(known, zone));
  }

  #zone(action: string, ioctl: IoctlName, zone: CoalescedZone): void {
    checkRange(zone);
    const { space, address, size } = zone;
    act(this.#observed, action, [space, address, ["size", size]], () => {
      const { fields } = kvm_coalesced_mmio_zone;
      const view = new DataView(new ArrayBuffer(kvm_coalesced_mmio_zone.size));
      view.setBigUint64(fields.addr[0], BigInt(address), true);
      view.setUint32(fields.size[0], size, true);
      view.setUint32(fields.pio[0], space === "pio" ? 1 : 0, true);
      ioctlBuffer(this.#fd, ioctl, view);
    });
  }

  #set(event: EventFd, access: IoEvent, flags: number): void {
    const { size, fields } = kvm_ioeventfd;
    const view = new DataView(new ArrayBuffer(size));
    if (access.match !== undefined) flags |= constants.KVM_IOEVENTFD_FLAG_DATAMATCH;
    if (access.space === "pio") flags |= constants.KVM_IOEVENTFD_FLAG_PIO;
    view.setBigUint64(fields.datamatch[0], BigInt(access.match ?? 0), true);
    view.setBigUint64(fields.addr[0], BigInt(access.address), true);
    view.setUint32(fields.len[0], access.size, true);
    view.setInt32(fields.fd[0], event.fd, true);
    view.setUint32(fields.flags[0], flags, true);
    ioctlBuffer(this.#fd, "KVM_IOEVENTFD", view);
  }
}

const spaces = { pio: 1, mmio: 0 } as const;

function checkRange(range: CoalescedZone | IoEvent): void {
  oneOf("the space", object("the range", range).space, spaces);
  unsigned64("an address", range.address);
  unsigned32("a size", range.size);
}

function check(event: EventFd, access: IoEvent): void {
  if (!(event instanceof EventFd)) {
    throw new ArgumentError(`the event is ${shown(event)}: give an EventFd`);
  }
  checkRange(access);
  if (access.match !== undefined) unsigned64("the value to match", access.match);
}

/** Whether a zone has all of another one, as KVM looks for those to unregister. */
function holds(zone: CoalescedZone, part: CoalescedZone): boolean {
  const [start, first] = [BigInt(zone.address), BigInt(part.address)];
  return zone.space === part.space && first >= start &&
    first + BigInt(part.size) <= start + BigInt(zone.size);
}

function operands({ space, address, size, match }: IoEvent): ActionOperand[] {
  const list: ActionOperand[] = [space, address, ["size", size]];
  if (match !== undefined) list.push(["match", match]);
  return list;
}
