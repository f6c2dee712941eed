import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { EventFd } from "../ffi/eventfd.ts";
import type { HostAction } from "../src/kvm/action.ts";
import { KvmError } from "../src/kvm/error.ts";
import { checkApiVersion, HostError } from "../src/kvm/host_error.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import { kvmTest, TemporaryFolder } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

kvmTest("KVM speaks version 12 and tells its capabilities", () => {
  using kvm = Kvm.open();
  assertEquals(kvm.apiVersion(), 12);
  assertEquals(kvm.checkExtension("KVM_CAP_USER_MEMORY"), 1);
  assertGreater(kvm.checkExtension("KVM_CAP_MAX_VCPUS"), 0);
  assertEquals(kvm.vcpuMmapSize() % 0x1000, 0);
  assertGreater(kvm.vcpuMmapSize(), 0);
});

kvmTest("KVM tells its CPUID leaves and MSRs", () => {
  using kvm = Kvm.open();
  const leaves = kvm.supportedCpuid();
  assert(leaves.some((leaf) => leaf.function === 0 && leaf.ebx !== 0));
  assert(leaves.some((leaf) => leaf.function === 1));
  assertEquals(kvm.supportedCpuid() === leaves, true);
  assert(kvm.msrIndexList().includes(0x10), "IA32_TIME_STAMP_COUNTER");
  assert(kvm.msrIndexList().every((index) => index !== undefined));
  assert(kvm.emulatedCpuid().length < leaves.length);
});

Deno.test("no device is the problem `missing`, with the modules to load", () => {
  const error = assertThrows(() => Kvm.open("/dev/nothing-here"), HostError);
  assertEquals(error.problem, "missing");
  assertMatch(error.message, /There is no \/dev\/nothing-here: .*modprobe kvm_intel/);
});

Deno.test("a device that is not KVM is the problem `not-kvm`, with its answer", () => {
  const error = assertThrows(() => Kvm.open("/dev/null"), HostError);
  assertEquals(error.problem, "not-kvm");
  assertMatch(error.message, /^\/dev\/null is not KVM: .* ENOTTY/);
  assert(error.cause instanceof KvmError);
});

Deno.test("a file is not KVM either, and a folder cannot be opened", () => {
  using folder = new TemporaryFolder();
  const file = assertThrows(() => Kvm.open(folder.write("kvm", "")), HostError);
  assertEquals(file.problem, "not-kvm");
  const error = assertThrows(() => Kvm.open(folder.path), HostError);
  assertEquals(error.problem, "open");
  assertMatch(error.message, /failed with EISDIR: see that it is KVM's device/);
});

Deno.test("another API version is the problem `version`, with both", () => {
  for (const version of [11, 13, 0]) {
    const error = assertThrows(() => checkApiVersion(version), HostError);
    assertEquals(error.problem, "version");
    assertMatch(error.message, new RegExp(`version ${version} and Trapline speaks 12`));
  }
  checkApiVersion(12);
});

kvmTest("a vCPU id that is taken is EEXIST with the documented cause", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu(0);
  const error = assertThrows(() => guest.vm.createVcpu(0), KvmError);
  assertEquals([error.ioctl, error.call, error.code, error.errno, error.name], [
    "KVM_CREATE_VCPU",
    "KVM_CREATE_VCPU",
    "EEXIST",
    17,
    "KvmError",
  ]);
  assertEquals(
    error.message,
    "KVM_CREATE_VCPU failed with EEXIST (a vCPU with that id exists)",
  );
  assertEquals(vcpu.run().reason, "hlt");
});

kvmTest("a vCPU id out of range is EINVAL with the capability to ask", () => {
  using guest = new RealModeVm("hlt");
  assertThrows(() => guest.vm.createVcpu(0x7fffffff), KvmError, "(KVM_CAP_MAX_VCPU_ID)");
});

kvmTest("a machine type that is none is EINVAL with its cause", () => {
  using kvm = Kvm.open();
  const error = assertThrows(() => kvm.createVm(0x7fff), KvmError, "that type of VM");
  assertEquals([error.ioctl, error.code], ["KVM_CREATE_VM", "EINVAL"]);
});

Deno.test("an errno without a documented cause is told as it is", () => {
  assertEquals(new KvmError("KVM_RUN", 5).message, "KVM_RUN failed with EIO");
  assertEquals(new KvmError("KVM_NMI", 22, "twice").message, "KVM_NMI failed with EINVAL: twice");
});

kvmTest("a capability that KVM refuses is EINVAL with its name", () => {
  using guest = new RealModeVm("hlt");
  assertThrows(
    () => guest.vm.enableCapability("KVM_CAP_USER_MEMORY"),
    KvmError,
    "KVM_CAP_USER_MEMORY",
  );
});

kvmTest("a VM is asked for its own capabilities, and its actions are observed", () => {
  using guest = new RealModeVm("hlt");
  const { vm } = guest;
  const seen: HostAction[] = [];
  vm.observer = (action) => seen.push(action);
  assertGreater(vm.checkExtension("KVM_CAP_NR_MEMSLOTS"), 16);
  vm.enableCapability("KVM_CAP_SPLIT_IRQCHIP", 24);
  assertThrows(() => vm.irq.createIrqchip(), KvmError, "the VM has an interrupt controller");
  assertEquals(seen, [
    { name: "enable", operands: ["split-irqchip", 24], answer: undefined },
    { name: "irqchip", operands: [], answer: "EEXIST" },
  ]);
});

kvmTest("interrupt lines need a controller, and tell the ioctl that says so", () => {
  using guest = new RealModeVm("hlt");
  const { irq } = guest.vm;
  using event = new EventFd();
  const refused = (body: () => void) => {
    const { ioctl, code } = assertThrows(body, KvmError);
    return `${ioctl} ${code}`;
  };
  assertEquals(refused(() => irq.setLine(4, 1)), "KVM_IRQ_LINE ENXIO");
  assertEquals(refused(() => irq.setLineStatus(4, 1)), "KVM_IRQ_LINE_STATUS ENXIO");
  assertEquals(refused(() => irq.createPit()), "KVM_CREATE_PIT2 ENOENT");
  assertEquals(refused(() => irq.chipState("ioapic")), "KVM_GET_IRQCHIP ENXIO");
  assertEquals(refused(() => irq.assignEventFd(event, 4)), "KVM_IRQFD EINVAL");
});

kvmTest("a line of the in-kernel controller can be read back from its chips", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  vm.irq.createIrqchip();
  // IRR of the master PIC is the second byte of its state.
  const irr = () => vm.irq.chipState("pic-master")[1];
  assertEquals(irr() & 0x10, 0);
  vm.irq.setLine(4, 1);
  assertEquals(irr() & 0x10, 0x10);
  assertEquals(vm.irq.chipState("pic-slave")[1] & 0x10, 0);
  vm.irq.createPit();
  assertThrows(() => vm.irq.createPit(), KvmError, "the VM has a PIT");
});

kvmTest("an eventfd raises the line that it was assigned to, until it is released", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  vm.irq.createIrqchip();
  using event = new EventFd();
  vm.irq.assignEventFd(event, 3);
  assertThrows(() => vm.irq.assignEventFd(event, 3), KvmError, "EBUSY");
  vm.irq.releaseEventFd(event, 3);
  vm.irq.assignEventFd(event, 3);
});

kvmTest("a port that signals an eventfd does not exit", () => {
  using guest = new RealModeVm("mov al, 7\n out 0x10, al\n mov al, 8\n out 0x10, al\n hlt");
  const { events } = guest.vm;
  using event = new EventFd();
  const access = { space: "pio", address: 0x10, size: 1, match: 7 } as const;
  events.assign(event, access);
  assertThrows(() => events.assign(event, access), KvmError, "EEXIST");
  using vcpu = guest.vcpu();
  const exit = vcpu.run();
  assertEquals(exit.reason === "pio" && exit.values, [8]);
  assertEquals(event.take(), 1n);
  events.release(event, access);
  assertThrows(() => events.release(event, access), KvmError, "ENOENT");
});
