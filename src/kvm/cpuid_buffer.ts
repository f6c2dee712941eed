import { integer } from "../../ffi/argument.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { decode } from "../../ffi/abi/layout.ts";
import { kvm_cpuid2, kvm_cpuid_entry2 } from "../../ffi/abi/registers.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { CpuidEntry } from "../x86/state.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer } from "./ioctl.ts";

/** As many as KVM_MAX_CPUID_ENTRIES: what KVM itself has room for. */
const CPUID_ROOM = 256;

/**
 * Reads a list of CPUID leaves (`struct kvm_cpuid2`).
 *
 * @param room how many leaves there is room for
 * @throws {KvmError} E2BIG when the room is too small.
 * @throws {ArgumentError} when the room is not 0 to 65535.
 */
export function readCpuid(
  fd: FileDescriptor,
  name: IoctlName,
  room: number = CPUID_ROOM,
): CpuidEntry[] {
  integer("the room", room, 0, 0xffff);
  const { size } = kvm_cpuid_entry2;
  const view = new DataView(new ArrayBuffer(kvm_cpuid2.size + room * size));
  view.setUint32(kvm_cpuid2.fields.nent[0], room, true);
  try {
    ioctlBuffer(fd, name, view, `room for ${room}`);
  } catch (error) {
    const count = view.getUint32(kvm_cpuid2.fields.nent[0], true);
    // Where KVM writes back how many there are it says more than that they are too many.
    if (!(error instanceof KvmError && error.code === "E2BIG" && count > room)) throw error;
    throw new KvmError(name, error.errno, `room for ${room}`, count);
  }
  return Array.from(
    { length: view.getUint32(kvm_cpuid2.fields.nent[0], true) },
    (_, index) => decode(kvm_cpuid_entry2, view, kvm_cpuid2.size + index * size),
  );
}
