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
const { nent } = kvm_cpuid2.fields;
const { size } = kvm_cpuid_entry2;

/** Bytes of `struct kvm_cpuid2` with as many leaves as KVM keeps for a vCPU. */
export const CPUID_BYTES = kvm_cpuid2.size + CPUID_ROOM * size;

/** Flags that no leaf has. */
const UNTOUCHED = 0xffffffff;

/**
 * The leaves that KVM_GET_CPUID2 gives of a vCPU (KVM API 4.20), and how many there are: Linux up to
 * 6.1 writes no count back, so the leaves that it leaves alone are told by their flags.
 *
 * @param bytes {@link CPUID_BYTES} of them, which `ask` has KVM fill
 * @returns the part of them that is `struct kvm_cpuid2` with its entries, and its count
 */
export function keptCpuid(
  bytes: Uint8Array<ArrayBuffer>,
  ask: () => void,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, CPUID_BYTES);
  const flagsAt = (leaf: number) =>
    kvm_cpuid2.size + leaf * size + kvm_cpuid_entry2.fields.flags[0];
  view.setUint32(nent[0], CPUID_ROOM, true);
  for (let leaf = 0; leaf < CPUID_ROOM; leaf++) view.setUint32(flagsAt(leaf), UNTOUCHED, true);
  ask();
  let count = view.getUint32(nent[0], true);
  while (count > 0 && view.getUint32(flagsAt(count - 1), true) === UNTOUCHED) count--;
  view.setUint32(nent[0], count, true);
  return bytes.subarray(0, kvm_cpuid2.size + count * size);
}

/** The leaves of a `struct kvm_cpuid2` with its entries. */
export function decodeCpuid(bytes: Uint8Array<ArrayBuffer>): CpuidEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from(
    { length: view.getUint32(nent[0], true) },
    (_, leaf) => decode(kvm_cpuid_entry2, view, kvm_cpuid2.size + leaf * size),
  );
}

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
  const bytes = new Uint8Array(new ArrayBuffer(kvm_cpuid2.size + room * size));
  const view = new DataView(bytes.buffer);
  view.setUint32(nent[0], room, true);
  try {
    ioctlBuffer(fd, name, view, `room for ${room}`);
  } catch (error) {
    const count = view.getUint32(nent[0], true);
    // Where KVM writes back how many there are it says more than that they are too many.
    if (!(error instanceof KvmError && error.code === "E2BIG" && count > room)) throw error;
    throw new KvmError(name, error.errno, `room for ${room}`, count);
  }
  return decodeCpuid(bytes);
}
