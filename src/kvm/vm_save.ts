/** A VM as one plain value. */
import { constants } from "../../ffi/abi/constants.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { kvm_clock_data, kvm_irqchip, kvm_pit_state2 } from "../../ffi/abi/interrupts.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { type Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import { libc } from "../../ffi/libc.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { GuestMemory } from "./memory.ts";
import { type AttributeRange, hasAttributes } from "./memory_attributes.ts";
import type { ConfiguredSlot } from "./memory_slot.ts";
import type { MsrFilter } from "./msr_filter.ts";
import {
  type Base64,
  hexadecimal,
  type SavedAttributes,
  type SavedIrqchip,
  type SavedMsrFilter,
  type SavedRoute,
  type SavedSlot,
  type SavedVcpu,
  type SavedVm,
  SaveError,
  withoutUndefined,
} from "./saved_state.ts";
import { filesOf } from "./private_memory.ts";
import { savedCapability, scratchBytes } from "./vcpu_save.ts";
import type { VmConfiguration } from "./vm_configuration.ts";
import type { Xen } from "./xen.ts";

/** A VM, and what a save needs to know of it. */
export interface VmParts {
  readonly fd: FileDescriptor;
  readonly configuration: VmConfiguration;
  readonly memory: GuestMemory;
  readonly xen: Xen;
}

/** Numbers of the chips of KVM_GET_IRQCHIP. */
export const chipNumbers = { picMaster: 0, picSlave: 1, ioapic: 2 } as const;

/**
 * Gets all of a VM but its vCPUs, which come first: their local APICs hold what the chips have
 * delivered.
 *
 * @param withMemory whether the contents of memory are wanted
 * @throws {SaveError} when the memory behind a slot is not the VM's to read.
 * @throws {KvmError} when an ioctl fails.
 */
export function saveVm(
  { fd, configuration, memory, xen }: VmParts,
  vcpus: readonly SavedVcpu[],
  withMemory: boolean,
): SavedVm {
  const { type, capabilities, tssAddress, irqchip, pit, routing, msrFilter } = configuration;
  const { identityMapAddress, bootCpuId, pmuEventFilter } = configuration;
  for (const slot of memory.configuredSlots()) checkFile(slot, configuration);
  return withoutUndefined({
    format: "trapline-vm-1",
    type,
    capabilities: capabilities.map(savedCapability),
    tssAddress: tssAddress === undefined ? undefined : hexadecimal(tssAddress),
    identityMapAddress: identityMapAddress === undefined
      ? undefined
      : hexadecimal(identityMapAddress),
    bootCpuId,
    tscKhz: configuration.tscKhz,
    mmuPages: configuration.mmuPages === undefined
      ? undefined
      : hexadecimal(configuration.mmuPages),
    pmuEventFilter: pmuEventFilter && {
      ...pmuEventFilter,
      events: pmuEventFilter.events.map(hexadecimal),
    },
    irqchip: irqchip ? saveIrqchip(fd) : undefined,
    pit: pit === undefined
      ? undefined
      : { flags: pit, state: get(fd, "KVM_GET_PIT2", kvm_pit_state2.size) },
    reinject: configuration.reinject,
    routing: routing?.map(savedRoute),
    msrFilter: msrFilter && savedMsrFilter(msrFilter),
    coalesced: configuration.coalesced.map(({ space, address, size }) => {
      return { space, address: hexadecimal(address), size };
    }),
    xen: xen.save(withMemory),
    clock: get(fd, "KVM_GET_CLOCK", kvm_clock_data.size),
    ...(withMemory ? saveMemory(memory) : { memories: [], slots: [] }),
    attributes: configuration.attributes?.map(savedAttributes),
    vcpus,
  });
}

function get(fd: FileDescriptor, name: IoctlName, size: number): Base64 {
  const bytes = scratchBytes(size);
  ioctlBuffer(fd, name, bytes);
  return bytes.toBase64();
}

function saveIrqchip(fd: FileDescriptor): SavedIrqchip {
  const chip = (number: number) => {
    const bytes = scratchBytes(kvm_irqchip.size);
    bytes[kvm_irqchip.fields.chip_id[0]] = number;
    ioctlBuffer(fd, "KVM_GET_IRQCHIP", bytes);
    return bytes.toBase64();
  };
  return {
    picMaster: chip(chipNumbers.picMaster),
    picSlave: chip(chipNumbers.picSlave),
    ioapic: chip(chipNumbers.ioapic),
  };
}

function savedRoute(route: NonNullable<VmConfiguration["routing"]>[number]): SavedRoute {
  if (!("msi" in route)) return route;
  return { ...route, msi: { ...route.msi, address: hexadecimal(route.msi.address) } };
}

function savedMsrFilter({ otherwise = "allow", ranges = [] }: MsrFilter): SavedMsrFilter {
  return {
    otherwise,
    ranges: ranges.map((range) =>
      withoutUndefined({ ...range, allowed: range.allowed.toBase64() })
    ),
  };
}

/**
 * Throws when what a slot's file holds cannot be read, so that it cannot be saved.
 *
 * @throws {SaveError} when it is private, or the file has flags that let it hold shared memory.
 */
function checkFile(
  { slot, file, guestAddress, size }: ConfiguredSlot,
  { attributes = [] }: VmConfiguration,
): void {
  if (file === undefined) return;
  if (file.flags !== 0n) {
    throw new SaveError(`slot ${slot} has a file with flags ${hexadecimal(file.flags)}`);
  }
  const { KVM_MEMORY_ATTRIBUTE_PRIVATE } = constants;
  if (hasAttributes(attributes, guestAddress, size, BigInt(KVM_MEMORY_ATTRIBUTE_PRIVATE))) {
    throw new SaveError(`slot ${slot} has private memory, which only its guest can read`);
  }
}

function savedAttributes({ address, size, attributes }: AttributeRange): SavedAttributes {
  return {
    address: hexadecimal(address),
    size: hexadecimal(size),
    attributes: hexadecimal(attributes),
  };
}

/** The memory of a VM: what is behind its slots, each once, and the slots. */
type SavedSlots = Pick<SavedVm, "memories" | "files" | "slots">;

function saveMemory(memory: GuestMemory): SavedSlots {
  const mappings: Mapping[] = [];
  const configured = memory.configuredSlots();
  const files = filesOf(configured);
  const slots = configured.map((slot): SavedSlot => {
    const { memory: behind, file, fileOffset = 0 } = slot;
    if (typeof behind === "bigint" || (behind === undefined && file === undefined)) {
      throw new SaveError(
        `slot ${slot.slot} is backed by an address, not by a Mapping: its size is not known`,
      );
    }
    if (behind !== undefined && !mappings.includes(behind)) mappings.push(behind);
    return withoutUndefined({
      slot: slot.slot,
      guestAddress: hexadecimal(slot.guestAddress),
      size: hexadecimal(slot.size),
      flags: slot.flags ?? 0,
      memory: behind && mappings.indexOf(behind),
      offset: slot.offset ?? 0,
      file: file && files.indexOf(file),
      fileOffset: file && hexadecimal(fileOffset),
    });
  });
  return withoutUndefined({
    memories: mappings.map(({ size, bytes }) => ({ size, pages: savePages(bytes) })),
    files: files.length === 0 ? undefined : files.map(({ size }) => ({ size: hexadecimal(size) })),
    slots,
  });
}

const zeroPage = new Uint8Array(PAGE_SIZE);

/** The runs of pages that are not all zero. */
function savePages(bytes: Uint8Array<ArrayBuffer>): (readonly [number, Base64])[] {
  const c = libc();
  const runs: (readonly [number, Base64])[] = [];
  let start: number | undefined;
  const end = (at: number) => {
    if (start !== undefined) runs.push([start, bytes.subarray(start, at).toBase64()]);
    start = undefined;
  };
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const page = bytes.subarray(at, at + PAGE_SIZE);
    if (c.memcmp(page, zeroPage, BigInt(PAGE_SIZE)) === 0) end(at);
    else start ??= at;
  }
  end(bytes.length);
  return runs;
}
