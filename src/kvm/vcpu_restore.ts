/** A vCPU's state set from what was saved, in the order that KVM needs. */
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { kvm_lapic_state } from "../../ffi/abi/interrupts.ts";
import {
  kvm_debugregs,
  kvm_mp_state,
  kvm_msr_entry,
  kvm_msrs,
  kvm_nested_state,
  kvm_regs,
  kvm_sregs,
  kvm_sregs2,
  kvm_vcpu_events,
  kvm_xcrs,
} from "../../ffi/abi/registers.ts";
import { kvm_run } from "../../ffi/abi/run.ts";
import { ioctlBuffer } from "./ioctl.ts";
import {
  type Base64,
  fillFromBase64,
  fromBase64,
  RestoreError,
  type SavedGuestDebug,
  type SavedVcpu,
} from "./saved_state.ts";
import type { GuestDebug } from "./guest_debug.ts";
import { ringOf, type VcpuParts } from "./vcpu_save.ts";

/** IA32_FEATURE_CONTROL: what of VMX a guest may use; nested state is refused before it is set. */
const MSR_IA32_FEATURE_CONTROL = 0x3a;

const scratch = new Map<number, Uint8Array<ArrayBuffer>>();

function buffer(size: number): Uint8Array<ArrayBuffer> {
  let bytes = scratch.get(size);
  if (bytes === undefined) scratch.set(size, bytes = new Uint8Array(new ArrayBuffer(size)));
  return bytes;
}

/**
 * Sets all state of a vCPU that has not run yet.
 *
 * CPUID is first, since it says what the rest may be. The MSRs need the local APIC (a deadline is
 * refused unless its timer is in that mode), which needs the APIC base of the special registers;
 * nested state needs those and IA32_FEATURE_CONTROL. KVM_SET_REGS drops a pending exception, so the
 * events come after it.
 *
 * @param tscShift how far the offset of a TSC of so many kHz moves
 * @throws {RestoreError} when a member is malformed or the host does not take an MSR.
 * @throws {KvmError} when KVM refuses a state.
 */
export function restoreVcpu(
  parts: VcpuParts,
  saved: SavedVcpu,
  tscShift: (khz: number) => bigint,
): void {
  const { vcpu, fd, shared } = parts;
  const set = (name: IoctlName, what: string, text: Base64 | undefined, size: number) => {
    if (text === undefined) return;
    const bytes = buffer(size);
    fillFromBase64(what, text, bytes);
    ioctlBuffer(fd, name, bytes);
  };
  const { configuration } = saved;
  for (const [name, ...args] of configuration.capabilities ?? []) {
    vcpu.enableCapability(name, ...args.map(BigInt));
  }
  if (configuration.mcgCap !== undefined) vcpu.setupMce(BigInt(configuration.mcgCap));
  if (saved.tscKhz !== undefined && saved.tscKhz !== vcpu.tscKhz()) vcpu.setTscKhz(saved.tscKhz);
  ioctlBuffer(fd, "KVM_SET_CPUID2", fromBase64("cpuid", saved.cpuid));
  const lists = saved.msrs.map((text) => new DataView(fromBase64("msrs", text).buffer));
  for (const list of lists) restoreOneMsr(parts, list, MSR_IA32_FEATURE_CONTROL);
  set("KVM_SET_SREGS", "sregs", saved.sregs, kvm_sregs.size);
  set("KVM_SET_SREGS2", "sregs2", saved.sregs2, kvm_sregs2.size);
  if (saved.nestedState !== undefined) restoreNestedState(parts, saved.nestedState);
  set("KVM_SET_XCRS", "xcrs", saved.xcrs, kvm_xcrs.size);
  restoreXsave(parts, saved.xsave);
  set("KVM_SET_LAPIC", "lapic", saved.lapic, kvm_lapic_state.size);
  if (saved.tscOffset !== undefined) {
    const offset = BigInt(saved.tscOffset) + tscShift(saved.tscKhz ?? 0);
    vcpu.setTscOffset(BigInt.asUintN(64, offset));
  }
  for (const list of lists) restoreMsrs(parts, list);
  set("KVM_SET_DEBUGREGS", "debugRegs", saved.debugRegs, kvm_debugregs.size);
  set("KVM_SET_REGS", "regs", saved.regs, kvm_regs.size);
  if (configuration.guestDebug !== undefined) {
    vcpu.setGuestDebug(guestDebugOf(configuration.guestDebug));
  }
  set("KVM_SET_VCPU_EVENTS", "events", saved.events, kvm_vcpu_events.size);
  set("KVM_SET_MP_STATE", "mpState", saved.mpState, kvm_mp_state.size);
  if (configuration.tprAccessReporting !== undefined) {
    vcpu.setTprAccessReporting(configuration.tprAccessReporting);
  }
  if (configuration.vapicAddress !== undefined) {
    vcpu.setVapicAddress(BigInt(configuration.vapicAddress));
  }
  if (saved.xen !== undefined) vcpu.xen.restore(saved.xen);
  fillFromBase64("shared", saved.shared, shared.bytes.subarray(0, kvm_run.size));
  if (saved.coalescedRing !== undefined) {
    fillFromBase64("coalescedRing", saved.coalescedRing, ringOf(shared));
  }
}

function guestDebugOf({ hardwareBreakpoints, ...rest }: SavedGuestDebug): GuestDebug {
  if (hardwareBreakpoints === undefined) return rest;
  const { addresses, dr7 } = hardwareBreakpoints;
  return { ...rest, hardwareBreakpoints: { addresses: addresses.map(BigInt), dr7: BigInt(dr7) } };
}

function restoreXsave({ vcpu }: VcpuParts, text: Base64): void {
  const saved = fromBase64("xsave", text);
  const size = vcpu.xsaveSize();
  if (saved.length > size) {
    throw new RestoreError(`xsave has ${saved.length} bytes and this host takes ${size}`);
  }
  const bytes = new Uint8Array(size);
  bytes.set(saved);
  vcpu.setXsave(bytes);
}

function restoreNestedState({ fd, features }: VcpuParts, text: Base64): void {
  const saved = fromBase64("nestedState", text);
  if (saved.length < kvm_nested_state.size) {
    throw new RestoreError(`nestedState is ${saved.length} bytes, fewer than its header`);
  }
  // KVM reads as much as the flags ask for.
  const bytes = new Uint8Array(Math.max(features.nestedState, saved.length));
  bytes.set(saved);
  ioctlBuffer(fd, "KVM_SET_NESTED_STATE", bytes);
}

/** Entries of `struct kvm_msrs`: index and value. */
function entry(msrs: DataView, position: number): { index: number; data: bigint } {
  const at = kvm_msrs.size + position * kvm_msr_entry.size;
  return {
    index: msrs.getUint32(at + kvm_msr_entry.fields.index[0], true),
    data: msrs.getBigUint64(at + kvm_msr_entry.fields.data[0], true),
  };
}

function countOf(msrs: DataView): number {
  const count = msrs.byteLength < kvm_msrs.size
    ? -1
    : msrs.getUint32(kvm_msrs.fields.nmsrs[0], true);
  if (msrs.byteLength !== kvm_msrs.size + count * kvm_msr_entry.size) {
    throw new RestoreError("msrs is not a struct kvm_msrs with its entries");
  }
  return count;
}

function restoreOneMsr({ vcpu }: VcpuParts, msrs: DataView, index: number): void {
  const count = countOf(msrs);
  for (let position = 0; position < count; position++) {
    if (entry(msrs, position).index !== index) continue;
    vcpu.setMsrs([entry(msrs, position)]);
  }
}

/** Sets them all; one that is refused must have its value already, as a read-only one does. */
function restoreMsrs({ vcpu, fd }: VcpuParts, msrs: DataView<ArrayBuffer>): void {
  let count = countOf(msrs);
  while (count > 0) {
    const done = ioctlBuffer(fd, "KVM_SET_MSRS", msrs);
    if (done === count) return;
    const { index, data } = entry(msrs, done);
    const [now] = vcpu.msrs([index]);
    if (now?.data !== data) {
      throw new RestoreError(
        `KVM refuses MSR 0x${index.toString(16)} the value 0x${data.toString(16)}` +
          (now === undefined ? "" : ` and has 0x${now.data.toString(16)}`),
      );
    }
    count -= done + 1;
    const rest = new Uint8Array(kvm_msrs.size + count * kvm_msr_entry.size);
    const from = kvm_msrs.size + (done + 1) * kvm_msr_entry.size;
    rest.set(new Uint8Array(msrs.buffer, from), kvm_msrs.size);
    msrs = new DataView(rest.buffer);
    msrs.setUint32(kvm_msrs.fields.nmsrs[0], count, true);
  }
}
