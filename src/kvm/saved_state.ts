/** What a saved VM consists of: plain values that JSON keeps as they are. */
import type { CapabilityName } from "../../ffi/abi/capabilities.ts";
import type { PmuEventFilter } from "./pmu_event_filter.ts";
import type { Msi, Route } from "./routing.ts";
import type { XenConfig } from "./xen.ts";

/** Bytes of a structure of KVM's, as base64. */
export type Base64 = string;

/** 64 bits as hexadecimal text with `0x`. */
export type Hexadecimal = string;

/** A capability that was enabled, with its arguments. */
export type SavedCapability = readonly [name: CapabilityName, ...args: Hexadecimal[]];

/** What is debugged, as KVM_SET_GUEST_DEBUG was given it. */
export interface SavedGuestDebug {
  /** Exits after each instruction. */
  readonly singleStep?: boolean;
  /** Exits at an INT3. */
  readonly softwareBreakpoints?: boolean;
  /** No interrupts while it is stepped. */
  readonly blockInterrupts?: boolean;
  /** DR0 to DR3 and DR7 of the host. */
  readonly hardwareBreakpoints?: {
    readonly addresses: readonly Hexadecimal[];
    readonly dr7: Hexadecimal;
  };
}

/**
 * A vCPU: each member is the bytes of the structure that its KVM_GET_* ioctl fills, and is absent
 * where the host has no such state.
 */
export interface SavedVcpu {
  /** The id it was made with. */
  readonly id: number;
  /** What the host did to it that cannot be read back. */
  readonly configuration: {
    readonly capabilities?: readonly SavedCapability[];
    readonly mcgCap?: Hexadecimal;
    readonly tprAccessReporting?: boolean;
    readonly vapicAddress?: Hexadecimal;
    readonly guestDebug?: SavedGuestDebug;
  };
  /** `struct kvm_run`: the last exit, and what the host asks of the next entry. */
  readonly shared: Base64;
  /** The ring of coalesced writes that nobody has taken, where there are zones. */
  readonly coalescedRing?: Base64;
  /** `struct kvm_mp_state`. */
  readonly mpState?: Base64;
  /** `struct kvm_cpuid2` and its entries. */
  readonly cpuid: Base64;
  /** kHz. */
  readonly tscKhz?: number;
  /** KVM_VCPU_TSC_OFFSET. */
  readonly tscOffset?: Hexadecimal;
  /** `struct kvm_sregs`, where there is no KVM_CAP_SREGS2. */
  readonly sregs?: Base64;
  /** `struct kvm_sregs2`. */
  readonly sregs2?: Base64;
  /** `struct kvm_nested_state` with its data. */
  readonly nestedState?: Base64;
  /** `struct kvm_xcrs`. */
  readonly xcrs?: Base64;
  /** `struct kvm_xsave` with what KVM_CAP_XSAVE2 adds, without the zeros at its end. */
  readonly xsave: Base64;
  /** `struct kvm_regs`. */
  readonly regs: Base64;
  /** `struct kvm_lapic_state`. */
  readonly lapic?: Base64;
  /** `struct kvm_msrs` with its entries: the MSRs of KVM_GET_MSR_INDEX_LIST, MTRRs, banks. */
  readonly msrs: readonly Base64[];
  /** `struct kvm_xen_vcpu_attr`, by name of the attribute, where Xen's part was used. */
  readonly xen?: Readonly<Record<string, Base64>>;
  /** `struct kvm_debugregs`. */
  readonly debugRegs: Base64;
  /** `struct kvm_vcpu_events`, with pending exceptions told from injected ones. */
  readonly events: Base64;
}

/** Host memory behind slots: its size and, by offset, the runs of pages that are not all zero. */
export interface SavedMemory {
  /** Bytes. */
  readonly size: number;
  /** Offset in bytes and content. */
  readonly pages: readonly (readonly [offset: number, bytes: Base64])[];
}

/** A file of memory that only guests reach, and none of which is private: it holds nothing. */
export interface SavedFile {
  /** Bytes. */
  readonly size: Hexadecimal;
}

/** A range of guest physical memory with attributes. */
export interface SavedAttributes {
  /** Guest physical. */
  readonly address: Hexadecimal;
  /** Bytes. */
  readonly size: Hexadecimal;
  /** KVM_MEMORY_ATTRIBUTE_*. */
  readonly attributes: Hexadecimal;
}

/** What KVM does for a guest that takes it for Xen. */
export interface SavedXen {
  /** KVM_XEN_HVM_CONFIG. */
  readonly config?: Omit<XenConfig, "blob_addr_32" | "blob_addr_64"> & {
    readonly blob_addr_32: Hexadecimal;
    readonly blob_addr_64: Hexadecimal;
  };
  /** `struct kvm_xen_hvm_attr`, by name of the attribute; what is not set is absent. */
  readonly attributes: Readonly<Record<string, Base64>>;
  /** Event channels of the guest's that lead to a port. */
  readonly ports: readonly {
    readonly send_port: number;
    readonly type: number;
    readonly port: number;
    readonly vcpu: number;
    readonly priority: number;
  }[];
}

/** A memory slot. */
export interface SavedSlot {
  /** Its number, address space and all. */
  readonly slot: number;
  /** Guest physical. */
  readonly guestAddress: Hexadecimal;
  /** Bytes. */
  readonly size: Hexadecimal;
  /** KVM_MEM_*. */
  readonly flags: number;
  /** Index of the host memory behind it, which several slots may share; absent where none is. */
  readonly memory?: number;
  /** Bytes into that memory. */
  readonly offset: number;
  /** Index of the file that it is bound to, where it is. */
  readonly file?: number;
  /** Bytes into that file. */
  readonly fileOffset?: Hexadecimal;
}

/** A route of a GSI, to a pin or a message. */
export type SavedRoute =
  | Exclude<Route, { readonly msi: Msi }>
  | (Omit<Route, "msi"> & {
    /** The message, its address as text. */
    readonly msi: Omit<Msi, "address"> & { readonly address: Hexadecimal };
  });

/** A filter of performance events, its events as text. */
export type SavedPmuEventFilter = Omit<PmuEventFilter, "events"> & {
  /** The list. */
  readonly events: readonly Hexadecimal[];
};

/** A filter of MSRs. */
export interface SavedMsrFilter {
  /** What becomes of an access that no range covers. */
  readonly otherwise: "allow" | "deny";
  /** The ranges, each with its bitmap. */
  readonly ranges: readonly {
    readonly access: "read" | "write" | "read-write";
    readonly base: number;
    readonly count?: number;
    readonly allowed: Base64;
  }[];
}

/** The state of the devices that KVM has in a VM with an interrupt controller in the kernel. */
export interface SavedIrqchip {
  /** `struct kvm_irqchip`. */
  readonly picMaster: Base64;
  /** `struct kvm_irqchip`. */
  readonly picSlave: Base64;
  /** `struct kvm_irqchip`. */
  readonly ioapic: Base64;
}

/**
 * A VM with all its state, as {@link Vm.save} gives and {@link Kvm.restore} takes it: `JSON.parse(
 * JSON.stringify(saved))` is as good. Eventfds are the host's own and not in it.
 */
export interface SavedVm {
  /** The form of this value. */
  readonly format: "trapline-vm-1";
  /** The type it was made with. */
  readonly type: number;
  /** Capabilities, in the order in which they were enabled. */
  readonly capabilities: readonly SavedCapability[];
  /** KVM_SET_TSS_ADDR. */
  readonly tssAddress?: Hexadecimal;
  /** KVM_SET_IDENTITY_MAP_ADDR. */
  readonly identityMapAddress?: Hexadecimal;
  /** KVM_SET_BOOT_CPU_ID. */
  readonly bootCpuId?: number;
  /** KVM_SET_TSC_KHZ of the VM, in kHz, where it was used. */
  readonly tscKhz?: number;
  /** KVM_SET_NR_MMU_PAGES, where it was used. */
  readonly mmuPages?: Hexadecimal;
  /** KVM_SET_PMU_EVENT_FILTER. */
  readonly pmuEventFilter?: SavedPmuEventFilter;
  /** Present where the interrupt controller is in the kernel. */
  readonly irqchip?: SavedIrqchip;
  /** `struct kvm_pit_state2`, and the flags it was made with. */
  readonly pit?: { readonly flags: number; readonly state: Base64 };
  /** KVM_REINJECT_CONTROL, where it was used. */
  readonly reinject?: boolean;
  /** KVM_SET_GSI_ROUTING, where it was not the default. */
  readonly routing?: readonly SavedRoute[];
  /** KVM_X86_SET_MSR_FILTER. */
  readonly msrFilter?: SavedMsrFilter;
  /** KVM_REGISTER_COALESCED_MMIO. */
  readonly coalesced: readonly {
    readonly space: "pio" | "mmio";
    readonly address: Hexadecimal;
    readonly size: number;
  }[];
  /** `struct kvm_clock_data`. */
  readonly clock: Base64;
  /** What it does for a guest that takes it for Xen, where that was used. */
  readonly xen?: SavedXen;
  /** Host memory; empty where it was not asked for. */
  readonly memories: readonly SavedMemory[];
  /** KVM_CREATE_GUEST_MEMFD, where slots are bound to such a file. */
  readonly files?: readonly SavedFile[];
  /** KVM_SET_MEMORY_ATTRIBUTES, where it was used. */
  readonly attributes?: readonly SavedAttributes[];
  /** Memory slots. */
  readonly slots: readonly SavedSlot[];
  /** vCPUs. */
  readonly vcpus: readonly SavedVcpu[];
}

/** Thrown when a VM cannot be saved as it is; the message says what to do first. */
export class SaveError extends Error {
  /** The class's name. */
  override readonly name = "SaveError";
}

/** Thrown when what is to be restored is malformed, or this host cannot take it. */
export class RestoreError extends Error {
  /** The class's name. */
  override readonly name = "RestoreError";
}

/** The text of 64 bits. */
export function hexadecimal(value: bigint | number): Hexadecimal {
  return `0x${BigInt(value).toString(16)}`;
}

/** Drops the members that are undefined, as JSON does. */
export function withoutUndefined<T extends object>(value: T): T {
  for (const name in value) if (value[name] === undefined) delete value[name];
  return value;
}

/**
 * Fills a buffer from text.
 *
 * @param what what it is, in the words of an error
 * @throws {RestoreError} when the text is not base64 of exactly as many bytes.
 */
export function fillFromBase64(what: string, text: Base64, into: Uint8Array<ArrayBuffer>): void {
  let result: { read: number; written: number } | undefined;
  try {
    result = into.setFromBase64(text);
  } catch {
    // Below.
  }
  if (result?.written !== into.length || result.read !== text.length) {
    throw new RestoreError(`${what} is not ${into.length} bytes in base64`);
  }
}

/**
 * The bytes of a text.
 *
 * @param what what it is, in the words of an error
 * @throws {RestoreError} when the text is not base64.
 */
export function fromBase64(what: string, text: Base64): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw new RestoreError(`${what} is not base64`);
  }
}

/**
 * Does `body`, which reads a saved value that may have been made by anybody.
 *
 * @throws {RestoreError} where a member is of another type than it has to be.
 */
export function orMalformed<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { constructor, message } = error as Error;
    if (constructor !== TypeError && constructor !== SyntaxError && constructor !== RangeError) {
      throw error;
    }
    throw new RestoreError(`the saved value is malformed: ${message}`, { cause: error });
  }
}
