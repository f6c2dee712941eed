/** A VM made from what was saved. */
import { constants } from "../../ffi/abi/constants.ts";
import { kvm_clock_data, kvm_irqchip, kvm_pit_state2 } from "../../ffi/abi/interrupts.ts";
import { kvm_xen_hvm_attr_long_mode } from "../../ffi/abi/xen.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { PAGE_SIZE } from "../../ffi/mapping.ts";
import { ioctlBuffer } from "./ioctl.ts";
import type { Route } from "./routing.ts";
import {
  fillFromBase64,
  fromBase64,
  RestoreError,
  type SavedVm,
  type SavedXen,
} from "./saved_state.ts";
import type { Vm } from "./vm.ts";

/**
 * Throws unless a value has the form of a saved VM.
 *
 * @throws {RestoreError} naming what is not there.
 */
export function checkSaved(saved: SavedVm): void {
  if (typeof saved !== "object" || saved === null || saved.format !== "trapline-vm-1") {
    throw new RestoreError("this is no saved VM: its format is not trapline-vm-1");
  }
  for (const list of ["capabilities", "coalesced", "memories", "slots", "vcpus"] as const) {
    if (!Array.isArray(saved[list])) throw new RestoreError(`the saved VM has no list ${list}`);
  }
  for (const { slot, memory, file } of saved.slots) {
    if (memory !== undefined && saved.memories[memory] === undefined) {
      throw new RestoreError(`slot ${slot} is backed by memory ${memory}, which is not there`);
    }
    if (file !== undefined && saved.files?.[file] === undefined) {
      throw new RestoreError(`slot ${slot} is bound to file ${file}, which is not there`);
    }
  }
}

/**
 * Configures a VM that has neither memory nor vCPU: the interrupt controller before all, since a
 * capability may ask for it (KVM_CAP_X86_APIC_BUS_CYCLES_NS), and none is refused for its sake.
 */
export function restoreConfiguration(vm: Vm, saved: SavedVm): void {
  if (saved.irqchip !== undefined) vm.irq.createIrqchip();
  for (const [name, ...args] of saved.capabilities) {
    vm.enableCapability(name, ...args.map(BigInt));
  }
  if (saved.pit !== undefined) vm.irq.createPit(saved.pit.flags);
  if (saved.reinject !== undefined) vm.irq.setReinject(saved.reinject);
  if (saved.tssAddress !== undefined) vm.setTssAddress(BigInt(saved.tssAddress));
  if (saved.identityMapAddress !== undefined) {
    vm.setIdentityMapAddress(BigInt(saved.identityMapAddress));
  }
  if (saved.tscKhz !== undefined) vm.setTscKhz(saved.tscKhz);
  if (saved.mmuPages !== undefined) vm.setMmuPages(BigInt(saved.mmuPages));
  if (saved.bootCpuId !== undefined) vm.setBootCpuId(saved.bootCpuId);
  if (saved.pmuEventFilter !== undefined) {
    const { events, ...filter } = saved.pmuEventFilter;
    vm.setPmuEventFilter({ ...filter, events: events.map(BigInt) });
  }
  if (saved.msrFilter !== undefined) {
    const { otherwise, ranges } = saved.msrFilter;
    vm.setMsrFilter({
      otherwise,
      ranges: ranges.map((range) => ({
        ...range,
        allowed: fromBase64("msrFilter.allowed", range.allowed),
      })),
    });
  }
  if (saved.routing !== undefined) {
    vm.irq.setRouting(saved.routing.map((route): Route => {
      if (!("msi" in route)) return route;
      return { ...route, msi: { ...route.msi, address: BigInt(route.msi.address) } };
    }));
  }
  for (const { space, address, size } of saved.coalesced) {
    vm.events.coalesce({ space, address: BigInt(address), size });
  }
}

/** Makes memory with its contents, and the slots over it. */
export function restoreMemory(vm: Vm, { memories, files = [], slots }: SavedVm): void {
  const mappings = memories.map(({ size, pages }, index) => {
    const mapping = vm.memory.map(size);
    for (const [offset, text] of pages) {
      const bytes = fromBase64(`memories[${index}]`, text);
      if (!(offset >= 0 && offset + bytes.length <= size)) {
        throw new RestoreError(`memories[${index}] has a page at ${offset}, beyond its ${size}`);
      }
      mapping.bytes.set(bytes, offset);
    }
    return mapping;
  });
  const fresh = files.map(({ size }) => vm.memory.ownFile(BigInt(size)));
  for (const { slot, guestAddress, size, flags, memory, offset, file, fileOffset = 0 } of slots) {
    const value = {
      slot,
      guestAddress: BigInt(guestAddress),
      size: BigInt(size),
      flags,
      memory: memory === undefined ? undefined : mappings[memory],
      offset,
    };
    if (file === undefined) vm.memory.setSlot(value);
    else vm.memory.setSlot2({ ...value, file: fresh[file], fileOffset: BigInt(fileOffset) });
  }
}

/** Gives memory its attributes, once the slots are there. */
export function restoreAttributes(vm: Vm, { attributes = [] }: SavedVm): void {
  for (const range of attributes) {
    vm.memory.setAttributes(
      BigInt(range.address),
      BigInt(range.size),
      BigInt(range.attributes),
    );
  }
}

/** Where the value of an attribute for Xen is in its structure. */
const XEN_VALUE = kvm_xen_hvm_attr_long_mode.fields.u[0];

/** Sets Xen's part, once the memory and the clock are there. */
export function restoreXen(vm: Vm, { xen }: SavedVm): void {
  if (xen === undefined) return;
  const page = sharedInfo(vm, xen);
  const before = page?.slice();
  vm.xen.restore(xen);
  // KVM has put its wall clock into the page: the guest's is as it was.
  if (before !== undefined) page!.set(before);
}

function sharedInfo(vm: Vm, { attributes }: SavedXen): Uint8Array<ArrayBuffer> | undefined {
  const text = attributes["shared-info"];
  if (text === undefined) return;
  const { buffer } = fromBase64("xen.shared-info", text);
  const address = new DataView(buffer).getBigUint64(XEN_VALUE, true) * BigInt(PAGE_SIZE);
  try {
    return vm.memory.bytes(address, PAGE_SIZE);
  } catch (error) {
    // KVM says what is wrong with it.
    if (error instanceof RangeError) return;
    throw error;
  }
}

/** Sets the state of the devices, once the local APICs have theirs: the IOAPIC reaches into them. */
export function restoreDevices(fd: FileDescriptor, saved: SavedVm): void {
  if (saved.irqchip !== undefined) {
    for (const chip of ["picMaster", "picSlave", "ioapic"] as const) {
      const bytes = new Uint8Array(kvm_irqchip.size);
      fillFromBase64(`irqchip.${chip}`, saved.irqchip[chip], bytes);
      ioctlBuffer(fd, "KVM_SET_IRQCHIP", bytes);
    }
  }
  if (saved.pit !== undefined) {
    const bytes = new Uint8Array(kvm_pit_state2.size);
    fillFromBase64("pit.state", saved.pit.state, bytes);
    ioctlBuffer(fd, "KVM_SET_PIT2", bytes);
  }
}

/** What KVM_GET_CLOCK tells: the guest's and the host's clocks at one moment. */
interface Clock {
  readonly flags: number;
  /** kvmclock in nanoseconds. */
  readonly clock: bigint;
  /** The host's TSC, where the flags say so. */
  readonly hostTsc: bigint;
}

function clockOf(bytes: Uint8Array<ArrayBuffer>): Clock {
  const view = new DataView(bytes.buffer);
  const { clock, flags, host_tsc } = kvm_clock_data.fields;
  return {
    flags: view.getUint32(flags[0], true),
    clock: view.getBigUint64(clock[0], true),
    hostTsc: view.getBigUint64(host_tsc[0], true),
  };
}

/**
 * Sets kvmclock, and gives how far the offset of a TSC of so many kHz has to move with it: 0 unless
 * the host's clocks were stable on both sides (KVM_VCPU_TSC_OFFSET in the kernel's description of
 * the vCPU's attributes).
 */
export function restoreClock(fd: FileDescriptor, saved: SavedVm): (khz: number) => bigint {
  const bytes = new Uint8Array(kvm_clock_data.size);
  fillFromBase64("clock", saved.clock, bytes);
  const before = clockOf(bytes);
  const view = new DataView(bytes.buffer);
  // KVM refuses the flags that it only gives; with REALTIME the time since then has gone by.
  const { flags } = kvm_clock_data.fields;
  view.setUint32(flags[0], before.flags & constants.KVM_CLOCK_REALTIME, true);
  ioctlBuffer(fd, "KVM_SET_CLOCK", bytes);
  ioctlBuffer(fd, "KVM_GET_CLOCK", bytes);
  const after = clockOf(bytes);
  const { KVM_CLOCK_TSC_STABLE, KVM_CLOCK_HOST_TSC, KVM_CLOCK_REALTIME } = constants;
  const stable = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_HOST_TSC | KVM_CLOCK_REALTIME;
  if ((before.flags & after.flags & stable) !== stable) return () => 0n;
  return (khz) =>
    (after.clock - before.clock) * BigInt(khz) / 1_000_000n + before.hostTsc - after.hostTsc;
}
