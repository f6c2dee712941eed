import { ArgumentError, shown, unsigned32 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_hyperv_eventfd } from "../../ffi/abi/control.ts";
import { encode } from "../../ffi/abi/layout.ts";
import { EventFd } from "../../ffi/eventfd.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type Observed } from "./action.ts";
import { ioctlBuffer } from "./ioctl.ts";

/**
 * What KVM does for a guest that takes it for Hyper-V (KVM_CAP_HYPERV_EVENTFD).
 *
 * @example
 * ```ts
 * import { EventFd, Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * using event = new EventFd();
 * if (vm.checkExtension("KVM_CAP_HYPERV_EVENTFD") > 0) {
 *   vm.hyperv.assign(event, 1);
 *   vm.hyperv.release(1);
 * }
 * ```
 */
export class HyperV {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  readonly #assigned = new Map<number, EventFd>();

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed) {
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * Lets the guest's HvSignalEvent of a connection signal an eventfd (KVM_HYPERV_EVENTFD, KVM API
   * 4.113).
   *
   * @param connection 24 bits
   * @throws {KvmError} EINVAL when the connection is above 24 bits, EEXIST when it has an eventfd.
   * @throws {ArgumentError} when the event is none or the connection not 32 bits.
   * @throws {DisposedError} after disposal of the VM or of the eventfd.
   */
  assign(event: EventFd, connection: number): void {
    if (!(event instanceof EventFd)) {
      throw new ArgumentError(`the event is ${shown(event)}: give an EventFd`);
    }
    this.#set("hyperv-eventfd", connection, event.fd, 0);
    this.#assigned.set(connection, event);
  }

  /**
   * Undoes {@link assign}.
   *
   * @throws {KvmError} ENOENT when the connection has no eventfd.
   * @throws {ArgumentError} when the connection is not 32 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  release(connection: number): void {
    this.#set("hyperv-eventfd-release", connection, -1, constants.KVM_HYPERV_EVENTFD_DEASSIGN);
    this.#assigned.delete(connection);
  }

  /**
   * Assigns the eventfds again, in a VM that has none of them.
   *
   * @throws {KvmError} when KVM refuses one.
   * @throws {DisposedError} after disposal of the VM.
   */
  renewEventFds(): void {
    this.#fd.number;
    for (const [connection, event] of this.#assigned) {
      // KVM keeps an eventfd that its owner has closed: nobody hears of the event, and none exits.
      using sink = new EventFd();
      this.#set("hyperv-eventfd", connection, event.disposed ? sink.fd : event.fd, 0);
    }
  }

  #set(action: string, connection: number, fd: number, flags: number): void {
    const view = new DataView(new ArrayBuffer(kvm_hyperv_eventfd.size));
    const conn_id = unsigned32("the connection", connection);
    encode(kvm_hyperv_eventfd, view, { conn_id, fd, flags });
    act(this.#observed, action, [conn_id], () => {
      ioctlBuffer(this.#fd, "KVM_HYPERV_EVENTFD", view, `connection ${conn_id}`);
    });
  }
}
