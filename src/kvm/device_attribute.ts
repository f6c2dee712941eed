/** Attributes of a device's, a vCPU's or the system's descriptor, by group and number. @module */
import { bytes, integer, object } from "../../ffi/argument.ts";
import { kvm_device_attr } from "../../ffi/abi/control.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { encode } from "../../ffi/abi/layout.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer } from "./ioctl.ts";

/** Which attribute of a device or of the system (`struct kvm_device_attr`, KVM API 4.80). */
export interface Attribute {
  /** Group, 32 bits. */
  readonly group: number;
  /** Attribute in that group, up to 2^53. */
  readonly attribute: number;
}

/** Values are small: an attribute's size has this limit to catch a number that went astray. */
const MAXIMUM_SIZE = 0x10000;

/** Where a buffer lies in this process, for a structure that points to it. */
export function bufferAddress(buffer: ArrayBufferView<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer as Uint8Array<ArrayBuffer>)));
}

/** For one value: the kernel and the caller are done with it before the next call. */
const word = new BigUint64Array(new ArrayBuffer(8));
const wordLayout = { size: 8, fields: { value: [0, "u64"] } } as const;
let wordAddress: bigint | undefined;
const argument = new DataView(new ArrayBuffer(kvm_device_attr.size));

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
  call(fd, "KVM_GET_DEVICE_ATTR", group, attribute, wordAddress ??= bufferAddress(word));
  return word[0];
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
  encode(wordLayout, new DataView(word.buffer), { value });
  call(fd, "KVM_SET_DEVICE_ATTR", group, attribute, wordAddress ??= bufferAddress(word));
}

/**
 * Reads an attribute's bytes (KVM_GET_DEVICE_ATTR, KVM API 4.80).
 *
 * @throws {KvmError} ENXIO when there is no such attribute.
 * @throws {ArgumentError} when a number is not in range.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function readAttribute(
  fd: FileDescriptor,
  { group, attribute }: Attribute,
  size: number,
): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(
    new ArrayBuffer(integer("the size of an attribute", size, 1, MAXIMUM_SIZE)),
  );
  call(fd, "KVM_GET_DEVICE_ATTR", group, attribute, bufferAddress(value));
  return value;
}

/**
 * Writes an attribute's bytes (KVM_SET_DEVICE_ATTR, KVM API 4.80).
 *
 * @throws {KvmError} ENXIO when there is no such attribute.
 * @throws {ArgumentError} when a number is not in range or the value is empty.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function writeAttribute(
  fd: FileDescriptor,
  { group, attribute }: Attribute,
  value: Uint8Array,
): void {
  const copy = bytes("the attribute's value", value, 1).slice();
  call(fd, "KVM_SET_DEVICE_ATTR", group, attribute, bufferAddress(copy));
  // In use until here: the kernel reads it through its address.
  copy.fill(0);
}

/**
 * Throws unless a value tells an attribute.
 *
 * @throws {ArgumentError} when it does not.
 */
export function checkAttribute(value: Attribute): Attribute {
  const { group, attribute } = object("the attribute", value);
  integer("the attribute's group", group, 0, 0xffffffff);
  integer("the attribute's number", attribute, 0, Number.MAX_SAFE_INTEGER);
  return value;
}

function call(
  fd: FileDescriptor,
  name: IoctlName,
  group: number,
  attribute: number,
  addr: bigint,
): void {
  encode(kvm_device_attr, argument, { flags: 0, group, attr: BigInt(attribute), addr });
  ioctlBuffer(fd, name, argument, `group ${group}, attribute ${attribute}`);
}
