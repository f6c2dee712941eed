/** What a host set of a VM, and KVM cannot be asked for, comes back with a restored VM. */
import { assertEquals, assertThrows } from "@std/assert";
import { constants } from "../ffi/abi/constants.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import { KvmError } from "../src/kvm/error.ts";
import { withAttributes } from "../src/kvm/memory_attributes.ts";
import { type SavedVm, SaveError } from "../src/kvm/saved_state.ts";
import type { Vm } from "../src/kvm/vm.ts";
import { kvmTest } from "./host.ts";

/** The VM that JSON makes of another one. */
function again(kvm: Kvm, vm: Vm): Vm {
  return kvm.restore(JSON.parse(JSON.stringify(vm.save())) as SavedVm);
}

/** What a host does, by name, while `body` runs. */
function done(vm: Vm, body: () => void): string[] {
  const names: string[] = [];
  vm.observer = ({ name, operands }) => names.push([name, ...operands.flat()].join(" "));
  body();
  vm.observer = undefined;
  return names;
}

kvmTest("the TSC frequency of vCPUs to come", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  vm.setTscKhz(vm.tscKhz() - 1000);
  using other = again(kvm, vm);
  assertEquals(other.tscKhz(), vm.tscKhz());
  kvm.renew(other);
  assertEquals(other.tscKhz(), vm.tscKhz());
});

kvmTest("the limit of shadow pages", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  assertEquals(vm.save().mmuPages, undefined);
  vm.setMmuPages(1234);
  using other = again(kvm, vm);
  assertEquals(other.save().mmuPages, "0x4d2");
  // KVM before Linux 6.3 tells.
  try {
    assertEquals(other.mmuPages(), vm.mmuPages());
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
  }
});

kvmTest("a capability that wants the interrupt controller before it", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  if (vm.checkExtension("KVM_CAP_X86_APIC_BUS_CYCLES_NS") === 0) return;
  assertThrows(() => vm.enableCapability("KVM_CAP_X86_APIC_BUS_CYCLES_NS", 40), KvmError, "ENXIO");
  vm.irq.createIrqchip();
  vm.irq.createPit();
  vm.enableCapability("KVM_CAP_X86_APIC_BUS_CYCLES_NS", 40);
  using other = again(kvm, vm);
  assertEquals(other.save().capabilities, vm.save().capabilities);
});

kvmTest("capabilities, filters, zones, addresses and the boot CPU, as JSON has them", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  vm.enableCapability("KVM_CAP_SPLIT_IRQCHIP", 24);
  vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", 7);
  vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", 0x2000);
  vm.enableCapability("KVM_CAP_MAX_VCPU_ID", 7);
  vm.enableCapability("KVM_CAP_HALT_POLL", 0);
  vm.enableCapability("KVM_CAP_EXCEPTION_PAYLOAD", 1);
  vm.setTssAddress(0xfffbd000);
  vm.setIdentityMapAddress(0xfffbc000n);
  vm.setBootCpuId(1);
  vm.setMsrFilter({
    otherwise: "allow",
    ranges: [{ access: "write", base: 0x174, count: 3, allowed: Uint8Array.of(5) }],
  });
  vm.events.coalesce({ space: "pio", address: 0x80, size: 1 });
  if (vm.checkExtension("KVM_CAP_PMU_EVENT_FILTER") > 0) {
    vm.setPmuEventFilter({ action: "deny", events: [0x3cn] });
  }
  vm.createVcpu(1);
  const { clock: _, vcpus: __, ...saved } = vm.save();
  using other = again(kvm, vm);
  const { clock: ___, vcpus: ____, ...restored } = other.save();
  assertEquals(restored, saved);
  // The ring is of the size that was asked for.
  using ring = other.vcpu(1).dirtyRing(0x2000);
  assertEquals(ring.capacity, 0x2000 / 16);
  kvm.renew(other);
  const { clock: _____, vcpus: ______, ...renewed } = other.save();
  assertEquals(renewed, saved);
});

const attributes = constants.KVM_MEMORY_ATTRIBUTE_PRIVATE;

Deno.test("attributes of memory are kept as ranges without an overlap", () => {
  const range = (address: bigint, size: bigint, value = BigInt(attributes)) => ({
    address,
    size,
    attributes: value,
  });
  const one = withAttributes([], range(0x10000n, 0x4000n));
  assertEquals(one, [range(0x10000n, 0x4000n)]);
  // The middle is shared again.
  assertEquals(withAttributes(one, range(0x11000n, 0x1000n, 0n)), [
    range(0x10000n, 0x1000n),
    range(0x12000n, 0x2000n),
  ]);
  // The end, and what is behind it.
  assertEquals(withAttributes(one, range(0x13000n, 0x4000n, 0n)), [range(0x10000n, 0x3000n)]);
  // The beginning, and what is before it.
  assertEquals(withAttributes(one, range(0xf000n, 0x2000n, 0n)), [range(0x11000n, 0x3000n)]);
  // All of it, to another value.
  assertEquals(withAttributes(one, range(0n, 0x20000n, 1n)), [range(0n, 0x20000n, 1n)]);
  assertEquals(withAttributes(one, range(0x14000n, 0x1000n)), [
    range(0x10000n, 0x4000n),
    range(0x14000n, 0x1000n),
  ]);
});

kvmTest("a slot with a file that only guests reach has a fresh one of its size", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  if (vm.checkExtension("KVM_CAP_GUEST_MEMFD") === 0) return;
  const memory = vm.memory.map(0x4000);
  memory.bytes[0x1000] = 0x77;
  const file = vm.memory.createFile(0x6000);
  const slot = { slot: 5, guestAddress: 0x100000, size: 0x2000, memory };
  vm.memory.setSlot2({ ...slot, file, fileOffset: 0x1000 });
  vm.memory.setSlot2({
    ...slot,
    slot: 6,
    guestAddress: 0x102000,
    offset: 0x2000,
    file,
    fileOffset: 0x3000,
  });
  const saved = vm.save();
  assertEquals(saved.files, [{ size: "0x6000" }]);
  assertEquals(saved.slots.map(({ file, fileOffset }) => [file, fileOffset]), [
    [0, "0x1000"],
    [0, "0x3000"],
  ]);
  using other = again(kvm, vm);
  assertEquals(other.memory.bytes(0x101000, 1)[0], 0x77);
  const { clock: _, ...again_ } = other.save();
  const { clock: __, ...first } = saved;
  assertEquals(again_, first);
  // The range of the file is taken, as in the first VM: KVM refuses to bind it once more.
  const [{ file: restored }] = other.memory.configuredSlots();
  const bindAgain = () =>
    other.memory.setSlot2({
      ...slot,
      slot: 7,
      guestAddress: 0x200000,
      file: restored,
      fileOffset: 0x1000,
    });
  assertThrows(bindAgain, KvmError);
  kvm.renew(other);
  assertThrows(bindAgain, KvmError);
  other.memory.setSlot2({ ...slot, size: 0 });
  bindAgain();
  file[Symbol.dispose]();
  // The slot keeps the memory of a file that is closed.
  const names = done(vm, () => kvm.renew(vm));
  assertEquals(names, []);
  assertEquals(vm.save().slots, first.slots);
});

kvmTest("a file with flags is refused: what it holds is more than its size", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  if (vm.checkExtension("KVM_CAP_GUEST_MEMFD") === 0) return;
  let file;
  try {
    file = vm.memory.createFile(0x1000, 2);
  } catch (error) {
    // Before Linux 6.18 there is no flag.
    if (error instanceof KvmError) return;
    throw error;
  }
  vm.memory.setSlot2({
    slot: 5,
    guestAddress: 0x100000,
    size: 0x1000,
    memory: vm.memory.map(0x1000),
    file,
  });
  assertThrows(() => vm.save(), SaveError, "slot 5 has a file with flags 0x2");
});

kvmTest("MSRs that a vCPU came to have after its first save", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const vcpu = vm.createVcpu();
  vcpu.setupMce(2n);
  vm.save();
  // Four banks of machine checks; the address of the last one.
  vcpu.setupMce(4n);
  vcpu.setMsrs([{ index: 0x40e, data: 0x123000n }]);
  using other = again(kvm, vm);
  assertEquals(other.vcpu().msrs([0x40e]), [{ index: 0x40e, data: 0x123000n }]);
  // TSC_AUX, which a host need not list.
  vcpu.setCpuid(kvm.supportedCpuid());
  vcpu.setMsrs([{ index: 0xc0000103, data: 0x55n }]);
  const [tscAux] = vcpu.msrs([0xc0000103]);
  using third = again(kvm, vm);
  assertEquals(third.vcpu().msrs([0xc0000103]), [tscAux]);
  assertEquals(tscAux.data, 0x55n);
});

kvmTest("a dirty ring goes on when its VM is renewed, and holds no VM that is gone", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  if (vm.checkExtension("KVM_CAP_DIRTY_LOG_RING") === 0) return;
  const SIZE = 0x10000;
  vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", SIZE);
  // MOV BYTE [BX], AL; ADD BX, 0x1000; OUT 0x10, AL; JMP to the start
  const code = [0x88, 0x07, 0x81, 0xc3, 0x00, 0x10, 0xe6, 0x10, 0xeb, 0xf6];
  const ram = vm.memory.map(0x10000);
  ram.bytes.set(code);
  vm.memory.setSlot({ slot: 3, guestAddress: 0, size: 0x10000, memory: ram, flags: 1 });
  const vcpu = vm.createVcpu();
  const sregs = vcpu.sregs();
  vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
  vcpu.setRegs({ ...vcpu.regs(), rip: 0n, rbx: 0x1000n, rax: 0x41n });
  using ring = vcpu.dirtyRing(SIZE);
  const pages = () => [...new Set(ring.harvest().map(({ slot, page }) => `${slot}: ${page}`))];
  vcpu.run();
  assertEquals(pages(), ["3: 1"]);
  vcpu.run();
  kvm.renew(vm);
  vcpu.run();
  // What was in the ring, and what came since.
  assertEquals(pages(), ["3: 2", "3: 3"]);
  assertEquals(pages(), []);
  const kept = Deno.readTextFileSync("/proc/self/maps").split("\n")
    .filter((line) => line.includes("kvm-vcpu")).length;
  // The shared area and the ring.
  assertEquals(kept, 2);
  ring[Symbol.dispose]();
  kvm.renew(vm);
  assertEquals(vcpu.run().reason, "pio");
});
