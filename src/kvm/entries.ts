/** Lists of counted entries, as the ioctls of CPUID and of MSRs read them. @module */
import { integer, list, unsigned32 } from "../../ffi/argument.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { decode } from "../../ffi/abi/layout.ts";
import { kvm_cpuid2, kvm_cpuid_entry2, kvm_msr_entry, kvm_msrs } from "../../ffi/abi/registers.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import type { CpuidEntry, MsrEntry } from "../x86/state.ts";
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

/**
 * Reads MSRs (KVM_GET_MSRS, KVM API 4.18).
 *
 * @returns as many as KVM could read, in order
 * @throws {KvmError} E2BIG for 256 or more.
 * @throws {ArgumentError} when an index is not 32 bits.
 */
export function readMsrs(fd: FileDescriptor, indices: readonly number[]): MsrEntry[] {
  const { size } = kvm_msr_entry;
  const { length } = list("the MSRs", indices);
  const view = new DataView(new ArrayBuffer(kvm_msrs.size + length * size));
  view.setUint32(kvm_msrs.fields.nmsrs[0], length, true);
  indices.forEach((index, position) => {
    view.setUint32(kvm_msrs.size + position * size, unsigned32("an MSR", index), true);
  });
  const count = ioctlBuffer(fd, "KVM_GET_MSRS", view, `${length} MSRs`);
  return Array.from(
    { length: count },
    (_, position) => decode(kvm_msr_entry, view, kvm_msrs.size + position * size),
  );
}
