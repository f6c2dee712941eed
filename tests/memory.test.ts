import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Mapping, PAGE_SIZE } from "../ffi/mapping.ts";
import type { HostAction } from "../src/kvm/action.ts";
import { KvmError } from "../src/kvm/error.ts";
import { GuestAddressError } from "../src/kvm/memory.ts";
import { MEMORY_LOG_DIRTY_PAGES, MEMORY_READONLY } from "../src/kvm/memory_slot.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import type { Vm } from "../src/kvm/vm.ts";
import { kvmTest } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

/** A VM without memory. */
function emptyVm(): { vm: Vm } & Disposable {
  const kvm = Kvm.open();
  const vm = kvm.createVm();
  return {
    vm,
    [Symbol.dispose]() {
      vm[Symbol.dispose]();
      kvm[Symbol.dispose]();
    },
  };
}

function bases(vm: Vm): [number, bigint, number][] {
  return vm.memory.slots().map(({ slot, guestAddress, bytes }) => [
    slot,
    guestAddress,
    bytes.length,
  ]);
}

kvmTest("addRam takes the lowest free slot and gives its live bytes", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  const low = memory.addRam(0, PAGE_SIZE);
  memory.addRam(0x10000n, 2 * PAGE_SIZE);
  memory.addRam(0x100000, PAGE_SIZE, { slot: 7 });
  memory.setSlot({ slot: 0, guestAddress: 0, size: 0 });
  memory.addRam(0x200000, PAGE_SIZE);
  assertEquals(bases(host.vm).sort(), [
    [0, 0x200000n, 0x1000],
    [1, 0x10000n, 0x2000],
    [7, 0x100000n, 0x1000],
  ]);
  memory.bytes(0x11234, 2).set([1, 2]);
  assertEquals([...memory.bytes(0x11233n, 4)], [0, 1, 2, 0]);
  assertEquals(low.disposed, false);
});

kvmTest("host access is within one slot, to the byte", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  memory.addRam(0x1000, PAGE_SIZE);
  memory.addRam(0x2000, PAGE_SIZE);
  assertEquals(memory.bytes(0x1000, PAGE_SIZE).length, PAGE_SIZE);
  assertEquals(memory.bytes(0x2fff, 1).length, 1);
  for (const [address, size] of [[0xfff, 1], [0xfff, 2], [0x1fff, 2], [0x3000, 1]]) {
    const error = assertThrows(() => memory.bytes(address, size), GuestAddressError);
    assertEquals([error.address, error.size], [BigInt(address), size]);
  }
  assertThrows(() => memory.bytes(0xd0000000n, 4), RangeError, "0xd0000000 + 4 bytes");
});

kvmTest("a slot may start inside a mapping, and two may share one", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  const backing = memory.map(3 * PAGE_SIZE);
  memory.setSlot({ slot: 0, guestAddress: 0, size: PAGE_SIZE, memory: backing, offset: PAGE_SIZE });
  memory.setSlot({ slot: 1, guestAddress: 0x8000, size: 0x2000, memory: backing });
  memory.bytes(0x10, 1)[0] = 0x42;
  assertEquals(memory.bytes(0x9010, 1)[0], 0x42);
  assertEquals(backing.bytes[PAGE_SIZE + 0x10], 0x42);
});

kvmTest("a slot that moves is found where it went, one that is deleted nowhere", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  const ram = memory.addRam(0, PAGE_SIZE);
  memory.setSlot({ slot: 0, guestAddress: 0x4000, size: PAGE_SIZE, memory: ram });
  assertThrows(() => memory.bytes(0, 1), GuestAddressError);
  assertEquals(memory.bytes(0x4000, 1).length, 1);
  memory.setSlot({ slot: 0, guestAddress: 0, size: 0 });
  assertEquals(memory.slots(), []);
});

kvmTest("an overlap is EEXIST with slot, address and cause, and leaves the slots alone", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  memory.addRam(0, 2 * PAGE_SIZE);
  const error = assertThrows(() => memory.addRam(0x1000, PAGE_SIZE), KvmError);
  assertEquals([error.ioctl, error.code], ["KVM_SET_USER_MEMORY_REGION", "EEXIST"]);
  assertMatch(error.message, /slot 1 at 0x1000, 0x1000 bytes \(the slot overlaps another one/);
  assertEquals(bases(host.vm), [[0, 0n, 0x2000]]);
});

kvmTest("a misaligned slot is EINVAL, and a size that no mapping has is refused before", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  assertThrows(() => memory.addRam(0x123, PAGE_SIZE), KvmError, "EINVAL");
  assertThrows(() => memory.addRam(0, 123), RangeError, "123 bytes");
  assertEquals(memory.slots(), []);
});

kvmTest("slots are observed with their answers, and are there when the observer looks", () => {
  using host = emptyVm();
  const { vm } = host;
  const seen: [HostAction, number][] = [];
  vm.observer = (action) => seen.push([action, vm.memory.slots().length]);
  vm.memory.addRam(0, PAGE_SIZE);
  assertThrows(() => vm.memory.addRam(0, PAGE_SIZE, { flags: MEMORY_READONLY }), KvmError);
  vm.memory.setSlot({ slot: 0, guestAddress: 0, size: 0 });
  const operands = [["gpa", 0n], ["size", 0x1000n]];
  assertEquals<unknown>(seen, [
    [{ name: "slot", operands: [0, ...operands], answer: undefined }, 1],
    [{ name: "slot", operands: [1, ...operands, ["flags", 2]], answer: "EEXIST" }, 1],
    [{ name: "slot", operands: [0, ["gpa", 0n], ["size", 0n]], answer: undefined }, 0],
  ]);
});

const WRITER = `
  mov ax, 0x2000
  mov ds, ax
  mov byte [0x10], 0x41
  mov byte [0x3010], 0x42
  hlt
`;

kvmTest("a write to a read-only slot is an MMIO exit and leaves the memory alone", () => {
  using guest = new RealModeVm(WRITER);
  const rom = guest.vm.memory.addRam(0x20000, 4 * PAGE_SIZE, { flags: MEMORY_READONLY });
  using vcpu = guest.vcpu();
  assertEquals(vcpu.run(), {
    reason: "mmio",
    direction: "write",
    address: 0x20010n,
    size: 1,
    value: 0x41n,
  });
  assertEquals(vcpu.run().reason, "mmio");
  assertEquals(vcpu.run().reason, "hlt");
  assertEquals(rom.bytes[0x10], 0);
});

kvmTest("the dirty log has the pages that were written, once", () => {
  using guest = new RealModeVm(WRITER);
  const { memory } = guest.vm;
  memory.addRam(0x20000, 4 * PAGE_SIZE, { slot: 3, flags: MEMORY_LOG_DIRTY_PAGES });
  using vcpu = guest.vcpu();
  memory.dirtyLog(3, 4);
  assertEquals(vcpu.run().reason, "hlt");
  assertEquals(memory.dirtyLog(3, 4), [0n, 3n]);
  assertEquals(memory.dirtyLog(3, 4), []);
});

kvmTest("under manual protection the log keeps its pages until they are cleared", () => {
  using guest = new RealModeVm(WRITER);
  const { vm } = guest;
  const { memory } = vm;
  vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 1);
  memory.addRam(0x20000, 4 * PAGE_SIZE, { slot: 3, flags: MEMORY_LOG_DIRTY_PAGES });
  using vcpu = guest.vcpu();
  assertEquals(vcpu.run().reason, "hlt");
  assertEquals([memory.dirtyLog(3, 4), memory.dirtyLog(3, 4)], [[0n, 3n], [0n, 3n]]);
  memory.clearDirtyLog(3, 0, 4, 0b0001n);
  assertEquals(memory.dirtyLog(3, 4), [3n]);
  memory.clearDirtyLog(3, 0, 4);
  assertEquals(memory.dirtyLog(3, 4), []);
});

kvmTest("the log of a slot that keeps none is ENOENT with its cause", () => {
  using host = emptyVm();
  const { memory } = host.vm;
  memory.addRam(0, PAGE_SIZE);
  const error = assertThrows(() => memory.dirtyLog(0, 1), KvmError, "does not log dirty pages");
  assertEquals([error.ioctl, error.code], ["KVM_GET_DIRTY_LOG", "ENOENT"]);
});

kvmTest("a guest whose memory was unmapped under it gets an error, not the process", () => {
  using host = emptyVm();
  const memory = Mapping.anonymous(PAGE_SIZE);
  host.vm.memory.setSlot({ slot: 0, guestAddress: 0xffff_f000, size: PAGE_SIZE, memory });
  using vcpu = host.vm.createVcpu();
  memory[Symbol.dispose]();
  const outcome = (() => {
    try {
      return vcpu.run().reason;
    } catch (error) {
      return error instanceof KvmError ? error.code : String(error);
    }
  })();
  // KVM may say that it cannot fetch, or that it cannot reach the memory.
  assertEquals(
    ["EFAULT", "internal-error", "memory-fault", "mmio"].includes(outcome),
    true,
    outcome,
  );
});

kvmTest("addRam frees nothing before the VM is disposed, and all of it then", () => {
  const host = emptyVm();
  const ram = host.vm.memory.addRam(0, PAGE_SIZE);
  const mapped = host.vm.memory.map(PAGE_SIZE);
  assertThrows(() => host.vm.memory.addRam(0, PAGE_SIZE), KvmError);
  assertEquals([ram.disposed, mapped.disposed], [false, false]);
  host[Symbol.dispose]();
  assertEquals([ram.disposed, mapped.disposed], [true, true]);
});
