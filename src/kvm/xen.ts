import { object, oneOf, unsigned32 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_xen_hvm_config } from "../../ffi/abi/control.ts";
import { kvm_irq_routing_xen_evtchn } from "../../ffi/abi/interrupts.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { decode, encode, type Layout, type ValueOf } from "../../ffi/abi/layout.ts";
import * as abi from "../../ffi/abi/xen.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type Observed } from "./action.ts";
import { ioctlBuffer } from "./ioctl.ts";

/** How a Xen guest gets its hypercall page (`struct kvm_xen_hvm_config`, KVM API 4.28). */
export interface XenConfig {
  /** KVM_XEN_HVM_CONFIG_*: bit 1 lets hypercalls exit, then the pages are KVM's own. */
  readonly flags: number;
  /** The MSR that a guest writes the page's address to. */
  readonly msr: number;
  /** Addresses of the pages of 32-bit and 64-bit guests in this process; default 0. */
  readonly blob_addr_32?: bigint;
  /** Default 0. */
  readonly blob_addr_64?: bigint;
  /** How many pages there are; default 0. */
  readonly blob_size_32?: number;
  /** Default 0. */
  readonly blob_size_64?: number;
}

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

type Table<N extends string> = Readonly<Record<N, readonly [type: number, layout: Attributed]>>;

const vmAttributes: Table<keyof XenAttributes> = {
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

const vcpuAttributes: Table<keyof XenVcpuAttributes> = {
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

function read<N extends string>(
  fd: FileDescriptor,
  ioctl: IoctlName,
  table: Table<N>,
  name: N,
): unknown {
  const [type, layout] = table[oneOf("the attribute", name, table)];
  const view = new DataView(new ArrayBuffer(layout.size));
  view.setUint16(layout.fields.type[0], type, true);
  ioctlBuffer(fd, ioctl, view, name);
  return decode(layout, view).u;
}

function write<N extends string>(
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

/**
 * What KVM does for a guest that takes it for Xen (KVM_CAP_XEN_HVM, KVM API 8.30).
 *
 * @example
 * ```ts
 * import { Kvm } from "@trapline/trapline";
 *
 * using kvm = Kvm.open();
 * using vm = kvm.createVm();
 * if ((vm.checkExtension("KVM_CAP_XEN_HVM") & 2) !== 0) {
 *   vm.xen.setConfig({ flags: 2, msr: 0x40000000 }); // KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL
 *   vm.xen.setAttribute("long-mode", { long_mode: 1 });
 *   console.log(vm.xen.attribute("long-mode").long_mode); // 1
 * }
 * ```
 */
export class Xen {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed) {
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * Says how the guest gets its hypercall page (KVM_XEN_HVM_CONFIG, KVM API 4.28).
   *
   * @throws {KvmError} EINVAL for flags or pages that do not fit them, ENOTTY without Xen.
   * @throws {LayoutError} when a number is beyond its size.
   * @throws {DisposedError} after disposal of the VM.
   */
  setConfig(config: XenConfig): void {
    const view = new DataView(new ArrayBuffer(kvm_xen_hvm_config.size));
    encode(kvm_xen_hvm_config, view, {
      blob_addr_32: 0n,
      blob_addr_64: 0n,
      blob_size_32: 0,
      blob_size_64: 0,
      ...object("the configuration", config),
    });
    act(this.#observed, "xen-config", [["flags", config.flags]], () => {
      ioctlBuffer(this.#fd, "KVM_XEN_HVM_CONFIG", view);
    });
  }

  /**
   * Reads an attribute (KVM_XEN_HVM_GET_ATTR, KVM API 4.127).
   *
   * @throws {KvmError} ENOENT or EINVAL when it cannot be read, ENOTTY without Xen.
   * @throws {ArgumentError} when there is no attribute of that name.
   * @throws {DisposedError} after disposal of the VM.
   */
  attribute<N extends keyof XenAttributes>(name: N): XenAttributes[N] {
    return read(this.#fd, "KVM_XEN_HVM_GET_ATTR", vmAttributes, name) as XenAttributes[N];
  }

  /**
   * Sets an attribute (KVM_XEN_HVM_SET_ATTR, KVM API 4.126).
   *
   * @throws {KvmError} EINVAL and others when KVM refuses, ENOTTY without Xen.
   * @throws {ArgumentError} when there is no attribute of that name.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal of the VM.
   */
  setAttribute<N extends keyof XenAttributes>(name: N, value: XenAttributes[N]): void {
    oneOf("the attribute", name, vmAttributes);
    act(this.#observed, "set-xen", [name], () => {
      write(this.#fd, "KVM_XEN_HVM_SET_ATTR", vmAttributes, name, value);
    });
  }

  /**
   * Sends an event of a channel (KVM_XEN_HVM_EVTCHN_SEND, KVM API 4.135).
   *
   * @param priority all ones, which is default: channels of two levels
   * @throws {KvmError} EINVAL when the port or the vCPU is invalid, ENOTTY without Xen.
   * @throws {ArgumentError} when a number is not 32 bits.
   * @throws {DisposedError} after disposal of the VM.
   */
  sendEvent(
    port: number,
    vcpu: number,
    priority: number = constants.KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
  ): void {
    const view = new DataView(new ArrayBuffer(kvm_irq_routing_xen_evtchn.size));
    encode(kvm_irq_routing_xen_evtchn, view, {
      port: unsigned32("the port", port),
      vcpu: unsigned32("the vCPU", vcpu),
      priority: unsigned32("the priority", priority),
    });
    act(this.#observed, "xen-event", [port, vcpu], () => {
      ioctlBuffer(this.#fd, "KVM_XEN_HVM_EVTCHN_SEND", view);
    });
  }
}

/** A vCPU's part of that. */
export class XenVcpu {
  readonly #fd: FileDescriptor;
  readonly #observed: Observed;

  /** Made by {@link Vcpu}. */
  constructor(fd: FileDescriptor, observed: Observed) {
    this.#fd = fd;
    this.#observed = observed;
  }

  /**
   * Reads an attribute (KVM_XEN_VCPU_GET_ATTR, KVM API 4.129).
   *
   * @throws {KvmError} EINVAL and others when it cannot be read or there is no Xen.
   * @throws {ArgumentError} when there is no attribute of that name.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  attribute<N extends keyof XenVcpuAttributes>(name: N): XenVcpuAttributes[N] {
    return read(this.#fd, "KVM_XEN_VCPU_GET_ATTR", vcpuAttributes, name) as XenVcpuAttributes[N];
  }

  /**
   * Sets an attribute (KVM_XEN_VCPU_SET_ATTR, KVM API 4.128).
   *
   * @throws {KvmError} EINVAL and others when KVM refuses or there is no Xen.
   * @throws {ArgumentError} when there is no attribute of that name.
   * @throws {LayoutError} when a member is missing or beyond its size.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  setAttribute<N extends keyof XenVcpuAttributes>(name: N, value: XenVcpuAttributes[N]): void {
    oneOf("the attribute", name, vcpuAttributes);
    act(this.#observed, "set-xen-vcpu", [name], () => {
      write(this.#fd, "KVM_XEN_VCPU_SET_ATTR", vcpuAttributes, name, value);
    });
  }
}
