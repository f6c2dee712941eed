import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type Observed } from "./action.ts";
import {
  type Attribute,
  checkAttribute,
  hasAttribute,
  readAttribute,
  writeAttribute,
} from "./device_attribute.ts";

/** The kind of device that x86's KVM knows: a bridge to VFIO (KVM_DEV_TYPE_VFIO). */
export const DEVICE_TYPE_VFIO = 4;

/**
 * A device that KVM emulates: the descriptor that KVM_CREATE_DEVICE gives (KVM API 4.79).
 *
 * @example
 * ```ts
 * import { DEVICE_TYPE_VFIO, Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * if (vm.hasDeviceType(DEVICE_TYPE_VFIO)) {
 *   using device = vm.createDevice(DEVICE_TYPE_VFIO);
 *   console.log(device.hasAttribute({ group: 1, attribute: 1 })); // KVM_DEV_VFIO_FILE_ADD: true
 * }
 * ```
 */
export class Device implements Disposable {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;
  /** The type it was made with. */
  readonly type: number;

  /** Made by {@link Vm.createDevice}. */
  constructor(fd: FileDescriptor, type: number, observed: Observed) {
    this.#fd = fd;
    this.type = type;
    this.#observed = observed;
  }

  /**
   * Whether it has an attribute (KVM_HAS_DEVICE_ATTR, KVM API 4.81).
   *
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal.
   */
  hasAttribute(attribute: Attribute): boolean {
    const { group, attribute: number } = checkAttribute(attribute);
    return hasAttribute(this.#fd, group, number);
  }

  /**
   * Reads an attribute (KVM_GET_DEVICE_ATTR, KVM API 4.80).
   *
   * @param size bytes of its value
   * @throws {KvmError} ENXIO when there is no such attribute, EPERM when it cannot be read.
   * @throws {ArgumentError} when a number is not in range.
   * @throws {DisposedError} after disposal.
   */
  attribute(attribute: Attribute, size: number): Uint8Array<ArrayBuffer> {
    return readAttribute(this.#fd, checkAttribute(attribute), size);
  }

  /**
   * Sets an attribute (KVM_SET_DEVICE_ATTR, KVM API 4.80).
   *
   * @param value its bytes, as many as the attribute wants
   * @throws {KvmError} ENXIO when there is no such attribute, EPERM when it cannot be written, EBUSY
   * when the device is in use.
   * @throws {ArgumentError} when a number is not in range or the value is empty.
   * @throws {DisposedError} after disposal.
   */
  setAttribute(attribute: Attribute, value: Uint8Array): void {
    act(
      this.#observed,
      "set-attribute",
      [],
      () => writeAttribute(this.#fd, checkAttribute(attribute), value),
    );
  }

  /**
   * The file descriptor, for {@link ioctl}.
   *
   * @throws {DisposedError} after disposal.
   */
  get fd(): number {
    return this.#fd.number;
  }

  /** Closes it; the VM keeps the device until it is closed itself. */
  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
