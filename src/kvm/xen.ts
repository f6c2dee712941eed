import { object, oneOf, unsigned32 } from "../../ffi/argument.ts";
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_xen_hvm_config } from "../../ffi/abi/control.ts";
import { kvm_irq_routing_xen_evtchn } from "../../ffi/abi/interrupts.ts";
import { encode } from "../../ffi/abi/layout.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type Observed } from "./action.ts";
import { ioctlBuffer } from "./ioctl.ts";
import {
  hexadecimal,
  orMalformed,
  type SavedXen,
  SaveError,
  withoutUndefined,
} from "./saved_state.ts";
import type { VmConfiguration } from "./vm_configuration.ts";
import {
  readAttribute,
  restoreAttributes,
  saveAttributes,
  type SavedAttributeValues,
  type StateAttribute,
  vcpuAttributes,
  vmAttributes,
  writeAttribute,
  type XenAttributes,
  type XenVcpuAttributes,
} from "./xen_attributes.ts";

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

/** An event channel, as it was assigned last. */
export type XenPort = {
  readonly [N in "evtchn-port" | "evtchn-eventfd"]: {
    readonly name: N;
    readonly evtchn: XenAttributes[N]["evtchn"];
  };
}["evtchn-port" | "evtchn-eventfd"];

/** What was set of Xen's part of a VM and cannot be read. */
export interface XenConfiguration {
  /** {@link Xen.setConfig}. */
  config?: XenConfig;
  /** Event channels, by the port that the guest sends on. */
  readonly ports: Map<number, XenPort>;
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
  readonly #configuration: VmConfiguration;

  /** Made by {@link Vm}. */
  constructor(fd: FileDescriptor, observed: Observed, configuration: VmConfiguration) {
    this.#fd = fd;
    this.#observed = observed;
    this.#configuration = configuration;
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
    this.#used().config = config;
  }

  /**
   * Reads an attribute (KVM_XEN_HVM_GET_ATTR, KVM API 4.127).
   *
   * @throws {KvmError} ENOENT or EINVAL when it cannot be read, ENOTTY without Xen.
   * @throws {ArgumentError} when there is no attribute of that name.
   * @throws {DisposedError} after disposal of the VM.
   */
  attribute<N extends keyof XenAttributes>(name: N): XenAttributes[N] {
    return readAttribute(this.#fd, "KVM_XEN_HVM_GET_ATTR", vmAttributes, name) as XenAttributes[N];
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
      writeAttribute(this.#fd, "KVM_XEN_HVM_SET_ATTR", vmAttributes, name, value);
    });
    this.#used();
    if (name === "evtchn-port" || name === "evtchn-eventfd") {
      this.#route(name, (value as XenAttributes["evtchn-port" | "evtchn-eventfd"]).evtchn);
    }
  }

  /** What was set of Xen's and cannot be read, from its first use on. */
  #used(): XenConfiguration {
    return this.#configuration.xen ??= { ports: new Map() };
  }

  #route(name: XenPort["name"], { send_port, type, flags, deliver }: XenPort["evtchn"]): void {
    const { ports } = this.#used();
    if (flags === EVENT_CHANNEL_RESET) ports.clear();
    else if (flags === EVENT_CHANNEL_DEASSIGN) ports.delete(send_port);
    else ports.set(send_port, { name, evtchn: { send_port, type, flags: 0, deliver } } as XenPort);
  }

  /**
   * Assigns the event channels that signal an eventfd again, in a VM that has none of them.
   *
   * @throws {KvmError} when KVM refuses one.
   * @throws {DisposedError} after disposal of the VM.
   */
  renewEventFds(): void {
    this.#fd.number;
    for (const { name, evtchn } of this.#configuration.xen?.ports.values() ?? []) {
      if (name !== "evtchn-eventfd") continue;
      writeAttribute(this.#fd, "KVM_XEN_HVM_SET_ATTR", vmAttributes, name, { evtchn });
    }
  }

  /**
   * What Xen's part of the VM consists of; nothing where it was not used. Event channels that signal
   * an eventfd are the host's own and not in it.
   *
   * @param elsewhere whether it may be restored in another process
   * @throws {SaveError} when a part of it lies at an address of this process, and that may be so.
   * @throws {KvmError} when an attribute cannot be read.
   * @throws {DisposedError} after disposal of the VM.
   */
  save(elsewhere: boolean): SavedXen | undefined {
    this.#fd.number;
    const used = this.#configuration.xen;
    if (used === undefined) return;
    const attributes = saveAttributes(this.#fd, "KVM_XEN_HVM_GET_ATTR", vmAttributes, vmState);
    const { config, ports } = used;
    if (elsewhere) {
      refuseAddress("shared_info", "shared-info-hva" in attributes);
      const { blob_size_32 = 0, blob_size_64 = 0 } = config ?? {};
      refuseAddress("the hypercall pages", blob_size_32 + blob_size_64 > 0);
    }
    return withoutUndefined({
      config: config && {
        ...config,
        blob_addr_32: hexadecimal(config.blob_addr_32 ?? 0),
        blob_addr_64: hexadecimal(config.blob_addr_64 ?? 0),
      },
      attributes,
      ports: [...ports.values()].flatMap((port) => {
        if (port.name !== "evtchn-port") return [];
        const { send_port, type, deliver } = port.evtchn;
        return [{ send_port, type, ...deliver.port }];
      }),
    });
  }

  /**
   * Sets what was saved, in a VM whose memory is there.
   *
   * @throws {RestoreError} when a value is malformed.
   * @throws {KvmError} when KVM refuses one.
   * @throws {DisposedError} after disposal of the VM.
   */
  restore(saved: SavedXen): void {
    this.#fd.number;
    orMalformed(() => this.#restore(saved));
  }

  #restore({ config, attributes, ports }: SavedXen): void {
    this.#used();
    if (config !== undefined) {
      const { blob_addr_32, blob_addr_64, ...rest } = config;
      this.setConfig({
        ...rest,
        blob_addr_32: BigInt(blob_addr_32),
        blob_addr_64: BigInt(blob_addr_64),
      });
    }
    restoreAttributes(this.#fd, "KVM_XEN_HVM_SET_ATTR", vmAttributes, vmState, attributes);
    for (const { send_port, type, ...port } of ports) {
      this.setAttribute("evtchn-port", {
        evtchn: { send_port, type, flags: 0, deliver: { port } },
      });
    }
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
  #used = false;

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
    return readAttribute(
      this.#fd,
      "KVM_XEN_VCPU_GET_ATTR",
      vcpuAttributes,
      name,
    ) as XenVcpuAttributes[N];
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
      writeAttribute(this.#fd, "KVM_XEN_VCPU_SET_ATTR", vcpuAttributes, name, value);
    });
    this.#used = true;
  }

  /**
   * What Xen's part of the vCPU consists of; nothing where neither it nor the VM's was used.
   *
   * @param ofVm whether the VM's part was used
   * @throws {KvmError} when an attribute cannot be read.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  save(ofVm: boolean): SavedAttributeValues | undefined {
    this.#fd.number;
    if (!ofVm && !this.#used) return;
    return saveAttributes(this.#fd, "KVM_XEN_VCPU_GET_ATTR", vcpuAttributes, vcpuState);
  }

  /**
   * Sets what was saved, in a VM whose memory, clock and part of Xen's are there.
   *
   * @throws {RestoreError} when a value is malformed.
   * @throws {KvmError} when KVM refuses one.
   * @throws {DisposedError} after disposal of the vCPU.
   */
  restore(saved: SavedAttributeValues): void {
    this.#fd.number;
    orMalformed(() =>
      restoreAttributes(this.#fd, "KVM_XEN_VCPU_SET_ATTR", vcpuAttributes, vcpuState, saved)
    );
    this.#used = true;
  }
}

/** Flags of an event channel (KVM_XEN_EVTCHN_DEASSIGN, KVM_XEN_EVTCHN_RESET). */
const EVENT_CHANNEL_DEASSIGN = 1;
const EVENT_CHANNEL_RESET = 4;

/** No address (KVM_XEN_INVALID_GFN, KVM_XEN_INVALID_GPA). */
const NOWHERE = (1n << 64n) - 1n;

/** The mode says where in shared_info the rest is. */
const vmState: readonly StateAttribute<keyof XenAttributes>[] = [
  ["long-mode"],
  ["upcall-vector"],
  ["runstate-update-flag"],
  ["xen-version"],
  ["shared-info", NOWHERE],
  ["shared-info-hva", 0n],
];

/** KVM writes the runstate into the guest's memory when it hears where that is. */
const vcpuState: readonly StateAttribute<keyof XenVcpuAttributes>[] = [
  ["vcpu-id"],
  ["upcall-vector"],
  ["vcpu-info", NOWHERE],
  ["vcpu-info-hva", 0n],
  ["vcpu-time-info", NOWHERE],
  ["runstate-data"],
  ["runstate-address", NOWHERE],
  ["timer"],
];

function refuseAddress(what: string, isOne: boolean): void {
  if (!isOne) return;
  throw new SaveError(`${what} of Xen's lies at an address of this process, not in guest memory`);
}
