/** A VM as one plain value. */
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import { kvm_clock_data, kvm_irqchip, kvm_pit_state2 } from "../../ffi/abi/interrupts.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { type Mapping, PAGE_SIZE } from "../../ffi/mapping.ts";
import { libc } from "../../ffi/libc.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { GuestMemory } from "./memory.ts";
import type { MsrFilter } from "./msr_filter.ts";
import {
  type Base64,
  hexadecimal,
  type SavedIrqchip,
  type SavedMemory,
  type SavedMsrFilter,
  type SavedRoute,
  type SavedSlot,
  type SavedVcpu,
  type SavedVm,
  SaveError,
  withoutUndefined,
} from "./saved_state.ts";
import { savedCapability, scratchBytes } from "./vcpu_save.ts";
import type { VmConfiguration } from "./vm_configuration.ts";

/** A VM, and what a save needs to know of it. */
export interface VmParts {
  readonly fd: FileDescriptor;
  readonly configuration: VmConfiguration;
  readonly memory: GuestMemory;
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
  { fd, configuration, memory }: VmParts,
  vcpus: readonly SavedVcpu[],
  withMemory: boolean,
): SavedVm {
  const { type, capabilities, tssAddress, irqchip, pit, routing, msrFilter } = configuration;
  const { identityMapAddress, bootCpuId, pmuEventFilter } = configuration;
  return withoutUndefined({
    format: "trapline-vm-1",
    type,
    capabilities: capabilities.map(savedCapability),
    tssAddress: tssAddress === undefined ? undefined : hexadecimal(tssAddress),
    identityMapAddress: identityMapAddress === undefined
      ? undefined
      : hexadecimal(identityMapAddress),
    bootCpuId,
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
    clock: get(fd, "KVM_GET_CLOCK", kvm_clock_data.size),
    ...(withMemory ? saveMemory(memory) : { memories: [], slots: [] }),
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

function saveMemory(memory: GuestMemory): { memories: SavedMemory[]; slots: SavedSlot[] } {
  const mappings: Mapping[] = [];
  const slots = memory.configuredSlots().map((slot): SavedSlot => {
    const { memory: behind, file } = slot;
    if (file !== undefined) {
      throw new SaveError(`slot ${slot.slot} has memory that only its guest can read`);
    }
    if (behind === undefined || typeof behind === "bigint") {
      throw new SaveError(
        `slot ${slot.slot} is backed by an address, not by a Mapping: its size is not known`,
      );
    }
    if (!mappings.includes(behind)) mappings.push(behind);
    return {
      slot: slot.slot,
      guestAddress: hexadecimal(slot.guestAddress),
      size: hexadecimal(slot.size),
      flags: slot.flags ?? 0,
      memory: mappings.indexOf(behind),
      offset: slot.offset ?? 0,
    };
  });
  return {
    memories: mappings.map(({ size, bytes }) => ({ size, pages: savePages(bytes) })),
    slots,
  };
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
