/** The attributes of a VM and a vCPU for a guest that takes KVM for Xen (KVM API 4.126 to 4.129). */
import { oneOf } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { decode, encode, type Layout, type ValueOf } from "../../ffi/abi/layout.ts";
import * as abi from "../../ffi/abi/xen.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { KvmError } from "./error.ts";
import { ioctlBuffer } from "./ioctl.ts";
import { type Base64, fillFromBase64 } from "./saved_state.ts";

/** The attributes of a VM for Xen, by name (KVM API 4.126); the members have the names of C. */
export interface XenAttributes {
  /** 1: the guest's structures are those of 64 bits. */
  "long-mode": { long_mode: number };
  /** The guest's frame of the shared_info page; all ones for none. */
  "shared-info": { shared_info: { gfn: bigint } };
  /** The address of that page in this process; 0 for none. */
  "shared-info-hva": { shared_info: { hva: bigint } };
  /** The vector of upcalls; 0 for none. */
  "upcall-vector": { vector: number };
  /** 1: the guest may read another vCPU's runstate. */
  "runstate-update-flag": { runstate_update_flag: number };
  /** What XENVER_version answers. */
  "xen-version": { xen_version: number };
  /** Where a port of the guest's leads: to a port. It can be set and not read. */
  "evtchn-port": {
    evtchn: {
      send_port: number;
      type: number;
      flags: number;
      deliver: { port: { port: number; vcpu: number; priority: number } };
    };
  };
  /** Where a port of the guest's leads: to an eventfd. It can be set and not read. */
  "evtchn-eventfd": {
    evtchn: {
      send_port: number;
      type: number;
      flags: number;
      deliver: { eventfd: { port: number; fd: number } };
    };
  };
}

/** What a Xen guest sees of its vCPU's time, in nanoseconds: `vcpu_runstate_info`. */
export interface XenRunstate {
  /** 0 running, 1 runnable, 2 blocked, 3 offline. */
  state: bigint;
  /** Since when; the sum of the four times. */
  state_entry_time: bigint;
  /** Time in that state. */
  time_running: bigint;
  /** Time in that state. */
  time_runnable: bigint;
  /** Time in that state. */
  time_blocked: bigint;
  /** Time in that state. */
  time_offline: bigint;
}

/** The attributes of a vCPU for Xen, by name (KVM API 4.128); the members have the names of C. */
export interface XenVcpuAttributes {
  /** Guest physical address of its vcpu_info; all ones for none. */
  "vcpu-info": { gpa: bigint };
  /** The address of that in this process; 0 for none. */
  "vcpu-info-hva": { hva: bigint };
  /** Guest physical address of one more pvclock; all ones for none. */
  "vcpu-time-info": { gpa: bigint };
  /** Guest physical address of its runstate; all ones for none. */
  "runstate-address": { gpa: bigint };
  /** Its state alone. */
  "runstate-current": { runstate: XenRunstate };
  /** Its state and times. */
  "runstate-data": { runstate: XenRunstate };
  /** What is added to its times. It can be set and not read. */
  "runstate-adjust": { runstate: XenRunstate };
  /** Its number as Xen has it. */
  "vcpu-id": { vcpu_id: number };
  /** The port of its timer, and when it fires, in nanoseconds. */
  "timer": { timer: { port: number; priority: number; expires_ns: bigint } };
  /** The vector of its upcalls through the local APIC; 0 for none. */
  "upcall-vector": { vector: number };
}

/** A structure with a type and a union. */
interface Attributed extends Layout {
  readonly fields: {
    readonly type: readonly [number, "u16"];
    readonly u: readonly [number, Layout];
  };
}

/** Attributes by name. */
export type Table<N extends string> = Readonly<
  Record<N, readonly [type: number, layout: Attributed]>
>;

/** The attributes of a VM. */
export const vmAttributes: Table<keyof XenAttributes> = {
  "long-mode": [constants.KVM_XEN_ATTR_TYPE_LONG_MODE, abi.kvm_xen_hvm_attr_long_mode],
  "shared-info": [constants.KVM_XEN_ATTR_TYPE_SHARED_INFO, abi.kvm_xen_hvm_attr_shared_info],
  "shared-info-hva": [
    constants.KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA,
    abi.kvm_xen_hvm_attr_shared_info_hva,
  ],
  "upcall-vector": [constants.KVM_XEN_ATTR_TYPE_UPCALL_VECTOR, abi.kvm_xen_hvm_attr_vector],
  "runstate-update-flag": [
    constants.KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG,
    abi.kvm_xen_hvm_attr_runstate_update_flag,
  ],
  "xen-version": [constants.KVM_XEN_ATTR_TYPE_XEN_VERSION, abi.kvm_xen_hvm_attr_xen_version],
  "evtchn-port": [constants.KVM_XEN_ATTR_TYPE_EVTCHN, abi.kvm_xen_hvm_attr_evtchn_port],
  "evtchn-eventfd": [constants.KVM_XEN_ATTR_TYPE_EVTCHN, abi.kvm_xen_hvm_attr_evtchn_eventfd],
};

/** The attributes of a vCPU. */
export const vcpuAttributes: Table<keyof XenVcpuAttributes> = {
  "vcpu-info": [constants.KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, abi.kvm_xen_vcpu_attr_gpa],
  "vcpu-info-hva": [constants.KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA, abi.kvm_xen_vcpu_attr_hva],
  "vcpu-time-info": [constants.KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO, abi.kvm_xen_vcpu_attr_gpa],
  "runstate-address": [constants.KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, abi.kvm_xen_vcpu_attr_gpa],
  "runstate-current": [
    constants.KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT,
    abi.kvm_xen_vcpu_attr_runstate,
  ],
  "runstate-data": [
    constants.KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA,
    abi.kvm_xen_vcpu_attr_runstate,
  ],
  "runstate-adjust": [
    constants.KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST,
    abi.kvm_xen_vcpu_attr_runstate,
  ],
  "vcpu-id": [constants.KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID, abi.kvm_xen_vcpu_attr_vcpu_id],
  "timer": [constants.KVM_XEN_VCPU_ATTR_TYPE_TIMER, abi.kvm_xen_vcpu_attr_timer],
  "upcall-vector": [constants.KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR, abi.kvm_xen_vcpu_attr_vector],
};

/**
 * Reads an attribute.
 *
 * @throws {KvmError} when it cannot be read.
 * @throws {ArgumentError} when there is none of that name.
 */
export function readAttribute<N extends string>(
  fd: FileDescriptor,
  ioctl: IoctlName,
  table: Table<N>,
  name: N,
): unknown {
  const [type, layout] = table[oneOf("the attribute", name, table)];
  return decode(layout, got(fd, ioctl, type, layout.size, name)).u;
}

/**
 * Sets an attribute.
 *
 * @throws {KvmError} when KVM refuses.
 * @throws {ArgumentError} when there is none of that name.
 * @throws {LayoutError} when a member is missing or beyond its size.
 */
export function writeAttribute<N extends string>(
  fd: FileDescriptor,
  ioctl: IoctlName,
  table: Table<N>,
  name: N,
  value: unknown,
): void {
  const [type, layout] = table[oneOf("the attribute", name, table)];
  const view = new DataView(new ArrayBuffer(layout.size));
  encode(layout, view, { type, u: value } as ValueOf<Attributed>);
  ioctlBuffer(fd, ioctl, view, name);
}

/** Where the value begins, in both structures. */
const VALUE = abi.kvm_xen_hvm_attr_long_mode.fields.u[0];

function got(
  fd: FileDescriptor,
  ioctl: IoctlName,
  type: number,
  size: number,
  name: string,
): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  view.setUint16(0, type, true);
  ioctlBuffer(fd, ioctl, view, name);
  return view;
}

/** An attribute that is a part of the state, and the value that means that it is not set. */
export type StateAttribute<N> = readonly [name: N, none?: bigint];

/** The values of attributes, by name: the structure that KVM fills. */
export type SavedAttributeValues = Readonly<Record<string, Base64>>;

/** Reads those of the attributes that this KVM has and that are set. */
export function saveAttributes<N extends string>(
  fd: FileDescriptor,
  ioctl: IoctlName,
  table: Table<N>,
  wanted: readonly StateAttribute<N>[],
): SavedAttributeValues {
  const saved: Record<string, Base64> = {};
  for (const [name, none] of wanted) {
    const [type, { size }] = table[name];
    try {
      const view = got(fd, ioctl, type, size, name);
      if (view.getBigUint64(VALUE, true) === none) continue;
      saved[name] = new Uint8Array(view.buffer).toBase64();
    } catch (error) {
      // An older KVM does not know it, one without scheduler statistics has no runstate.
      if (!(error instanceof KvmError && refusals.has(error.code))) throw error;
    }
  }
  return saved;
}

const refusals: ReadonlySet<string> = new Set(["ENOENT", "EINVAL", "EOPNOTSUPP"]);

/**
 * Sets attributes as they were read, in the order of the list.
 *
 * @throws {RestoreError} when a value is malformed.
 * @throws {KvmError} when KVM refuses one.
 */
export function restoreAttributes<N extends string>(
  fd: FileDescriptor,
  ioctl: IoctlName,
  table: Table<N>,
  wanted: readonly StateAttribute<N>[],
  saved: SavedAttributeValues,
): void {
  for (const [name] of wanted) {
    if (saved[name] === undefined) continue;
    const [type, { size }] = table[name];
    const bytes = new Uint8Array(size);
    fillFromBase64(`xen.${name}`, saved[name], bytes);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, type, true);
    ioctlBuffer(fd, ioctl, view, name);
  }
}
