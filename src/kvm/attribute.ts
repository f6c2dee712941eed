import { addressOf } from "../../ffi/address.ts";
import { bytes, integer, object, unsigned32, unsigned64 } from "../../ffi/argument.ts";
import { kvm_device_attr } from "../../ffi/abi/control.ts";
import { encode } from "../../ffi/abi/layout.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer } from "./ioctl.ts";

/** Which attribute of a device, a vCPU or the system (`struct kvm_device_attr`, KVM API 4.80). */
export interface Attribute {
  /** Group, 32 bits. */
  readonly group: number;
  /** Attribute in that group, 64 bits. */
  readonly attribute: number | bigint;
  /** 0; none is defined. */
  readonly flags?: number;
}

/** Values are small: an attribute's size has this limit to catch a number that went astray. */
const MAXIMUM_SIZE = 0x10000;

function call(fd: FileDescriptor, name: IoctlName, attribute: Attribute, address: bigint): void {
  const { group, attribute: attr, flags = 0 } = object("the attribute", attribute);
  const view = new DataView(new ArrayBuffer(kvm_device_attr.size));
  encode(kvm_device_attr, view, {
    flags: unsigned32("the attribute's flags", flags),
    group: unsigned32("the attribute's group", group),
    attr: unsigned64("the attribute's number", attr),
    addr: address,
  });
  ioctlBuffer(fd, name, view, `group ${group}, attribute ${attr}`);
}

/** Whether there is an attribute (KVM_HAS_DEVICE_ATTR, KVM API 4.81). */
export function hasAttribute(fd: FileDescriptor, attribute: Attribute): boolean {
  try {
    call(fd, "KVM_HAS_DEVICE_ATTR", attribute, 0n);
    return true;
  } catch (error) {
    if (error instanceof KvmError && error.code === "ENXIO") return false;
    throw error;
  }
}

/** Reads an attribute's value (KVM_GET_DEVICE_ATTR, KVM API 4.80). */
export function readAttribute(
  fd: FileDescriptor,
  attribute: Attribute,
  size: number,
): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(
    new ArrayBuffer(integer("the size of an attribute", size, 1, MAXIMUM_SIZE)),
  );
  call(fd, "KVM_GET_DEVICE_ATTR", attribute, addressOf(value));
  return value;
}

/** Writes an attribute's value (KVM_SET_DEVICE_ATTR, KVM API 4.80). */
export function writeAttribute(fd: FileDescriptor, attribute: Attribute, value: Uint8Array): void {
  const copy = bytes("the attribute's value", value, 1).slice();
  call(fd, "KVM_SET_DEVICE_ATTR", attribute, addressOf(copy));
  // In use until here: the kernel reads it through its address.
  copy.fill(0);
}
