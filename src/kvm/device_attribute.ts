/** Attributes of a device's, a VM's or a vCPU's descriptor: 64-bit values by group and number. */
import { kvm_device_attr } from "../../ffi/abi/control.ts";
import { encode } from "../../ffi/abi/layout.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";

/** Where a buffer lies in this process, for a structure that points to it. */
export function bufferAddress(buffer: ArrayBufferView<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer as Uint8Array<ArrayBuffer>)));
}

/**
 * Whether a descriptor has an attribute (KVM_HAS_DEVICE_ATTR, KVM API 4.81).
 *
 * @throws {DisposedError} when the descriptor is closed.
 */
export function hasAttribute(fd: FileDescriptor, group: number, attribute: number): boolean {
  try {
    call(fd, "KVM_HAS_DEVICE_ATTR", group, attribute, 0n);
    return true;
  } catch (error) {
    if (error instanceof KvmError) return false;
    throw error;
  }
}

/**
 * Reads an attribute of 64 bits (KVM_GET_DEVICE_ATTR, KVM API 4.80).
 *
 * @throws {KvmError} ENXIO when there is no such attribute.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function getAttribute(fd: FileDescriptor, group: number, attribute: number): bigint {
  const value = new BigUint64Array(new ArrayBuffer(8));
  call(fd, "KVM_GET_DEVICE_ATTR", group, attribute, bufferAddress(value));
  return value[0];
}

/**
 * Writes an attribute of 64 bits (KVM_SET_DEVICE_ATTR, KVM API 4.80).
 *
 * @throws {KvmError} ENXIO when there is no such attribute.
 * @throws {LayoutError} when the value is beyond 64 bits.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function setAttribute(
  fd: FileDescriptor,
  group: number,
  attribute: number,
  value: bigint,
): void {
  const view = new DataView(new ArrayBuffer(8));
  encode({ size: 8, fields: { value: [0, "u64"] } }, view, { value });
  call(fd, "KVM_SET_DEVICE_ATTR", group, attribute, bufferAddress(view));
}

function call(
  fd: FileDescriptor,
  name: IoctlName,
  group: number,
  attribute: number,
  addr: bigint,
): void {
  const view = new DataView(new ArrayBuffer(kvm_device_attr.size));
  encode(kvm_device_attr, view, { flags: 0, group, attr: BigInt(attribute), addr });
  ioctlBuffer(fd, name, view, `group ${group}, attribute ${attribute}`);
}
