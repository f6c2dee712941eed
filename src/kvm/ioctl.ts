import { ArgumentError, integer, oneOf, shown, unsigned64 } from "../../ffi/argument.ts";
import { type IoctlName, ioctls } from "../../ffi/abi/ioctls.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { libc } from "../../ffi/libc.ts";
import { KvmError } from "./error.ts";

/**
 * Calls an ioctl whose parameter is a number of 31 bits, and gives its result.
 *
 * @throws {KvmError} when it fails.
 * @throws {ArgumentError} when the number is not whole or out of range.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function ioctlValue(fd: FileDescriptor, name: IoctlName, value: number = 0): number {
  const c = libc();
  if (value !== 0) integer(`the argument of ${name}`, value, 0, 0x7fffffff);
  const result = c.ioctlValue(fd.number, ioctls[name], value);
  if (result < 0) throw new KvmError(name, c.errno[0]);
  return result;
}

/**
 * Calls an ioctl whose parameter is an `unsigned long`, such as an address, and gives its result.
 *
 * @param value 64 bits
 * @param detail what is asked of it, for the message of an error
 * @throws {KvmError} when it fails.
 * @throws {ArgumentError} when the value is not whole or out of range.
 * @throws {DisposedError} when the descriptor is closed.
 */
export function ioctlAddress(
  fd: FileDescriptor,
  name: IoctlName,
  value: number | bigint,
  detail?: string,
): number {
  const c = libc();
  const word = unsigned64(`the argument of ${name}`, value);
  const result = c.ioctlAddress(fd.number, ioctls[name], word);
  if (result < 0) throw new KvmError(name, c.errno[0], detail ?? `0x${word.toString(16)}`);
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

/**
 * Calls one of KVM's ioctls with an argument as it is, for what the types of Trapline do not let
 * through: an ioctl on the wrong kind of descriptor, an address that is not mapped.
 *
 * The kernel reads and writes where the argument says, as much as it likes: a buffer that is too
 * small or a wrong address corrupts this process. {@link Kvm}, {@link Vm} and {@link Vcpu} do not.
 *
 * @param target what has the descriptor
 * @param argument a number or an address of 64 bits, or the structure that the ioctl takes
 * @returns what the ioctl returns, 0 or above
 * @throws {KvmError} when it fails.
 * @throws {ArgumentError} when there is no such ioctl, or the argument is none of these.
 * @throws {DisposedError} when the descriptor is closed.
 *
 * @example
 * ```ts
 * import { ioctl, Kvm, KvmError } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * try {
 *   ioctl(kvm, "KVM_RUN"); // of a vCPU
 * } catch (error) {
 *   console.log((error as KvmError).code); // EINVAL
 * }
 * ```
 */
export function ioctl(
  target: { readonly fd: number },
  name: IoctlName,
  argument: number | bigint | ArrayBufferView<ArrayBuffer> = 0n,
): number {
  const c = libc();
  const number = ioctls[oneOf("the ioctl", name, ioctls)];
  const result = ArrayBuffer.isView(argument)
    ? c.ioctlBuffer(descriptorOf(target), number, argument as Uint8Array<ArrayBuffer>)
    : c.ioctlAddress(descriptorOf(target), number, unsigned64(`the argument of ${name}`, argument));
  if (result < 0) throw new KvmError(name, c.errno[0]);
  return result;
}

function descriptorOf(target: { readonly fd: number }): number {
  const fd: unknown = target?.fd;
  if (typeof fd === "number") return integer("the descriptor", fd, 0, 0x7fffffff);
  throw new ArgumentError(
    `${shown(target)} has no descriptor: give a Kvm, a Vm, a Vcpu or a Device`,
  );
}
