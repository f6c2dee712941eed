import { type IoctlName, ioctls } from "../../ffi/abi/ioctls.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { libc } from "../../ffi/libc.ts";
import { KvmError } from "./error.ts";

/**
 * Calls an ioctl whose parameter is a number of 31 bits, and gives its result.
 *
 * @throws {KvmError} when it fails.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function ioctlValue(fd: FileDescriptor, name: IoctlName, value: number = 0): number {
  const c = libc();
  const result = c.ioctlValue(fd.number, ioctls[name], value);
  if (result < 0) throw new KvmError(name, c.errno[0]);
  return result;
}

/**
 * Calls an ioctl whose parameter is an address, and gives its result.
 *
 * @param address 64 bits
 * @throws {KvmError} when it fails.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function ioctlAddress(fd: FileDescriptor, name: IoctlName, address: bigint): number {
  const c = libc();
  const result = c.ioctlAddress(fd.number, ioctls[name], address);
  if (result < 0) throw new KvmError(name, c.errno[0], `address 0x${address.toString(16)}`);
  return result;
}

/**
 * Calls an ioctl whose parameter points to a structure, and gives its result.
 *
 * @param detail what is asked of it, for the message of an error
 * @throws {KvmError} when it fails.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function ioctlBuffer(
  fd: FileDescriptor,
  name: IoctlName,
  buffer: ArrayBufferView<ArrayBuffer>,
  detail?: string,
): number {
  const c = libc();
  const result = c.ioctlBuffer(fd.number, ioctls[name], buffer as Uint8Array<ArrayBuffer>);
  if (result < 0) throw new KvmError(name, c.errno[0], detail);
  return result;
}
