import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DisposedError } from "../ffi/disposed.ts";
import { EventFd } from "../ffi/eventfd.ts";
import { Mapping, PAGE_SIZE } from "../ffi/mapping.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import { Watchdog } from "../src/kvm/watchdog.ts";
import { defineCase } from "../src/suite/case.ts";
import { LocalHost } from "../src/suite/local_host.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import {
  access,
  assertDisposed,
  disposeTwice,
  irqMembers,
  kvmMembers,
  memoryMembers,
  vcpuMembers,
  vmMembers,
} from "./disposed_members.ts";
import { kvmTest } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

Deno.test("a disposed mapping", async () => {
  const mapping = Mapping.anonymous(PAGE_SIZE);
  disposeTwice(mapping);
  const { disposed, ...members } = {
    remap: (mapping: Mapping) => mapping.remap(),
    protect: (mapping: Mapping) => mapping.protect("read"),
    advise: (mapping: Mapping) => mapping.advise("dontneed"),
    movePages: (mapping: Mapping) => mapping.movePages(0, 0x1000, mapping, 0),
    address: (mapping: Mapping) => mapping.address,
    bytes: (mapping: Mapping) => mapping.bytes,
    disposed: (mapping: Mapping) => mapping.disposed,
    view: (mapping: Mapping) => mapping.view,
  };
  // The one member that may be asked.
  assertEquals(disposed(mapping), true);
  await assertDisposed(mapping, { ...members, disposed: () => mapping.bytes });
});

Deno.test("a disposed eventfd", async () => {
  const event = new EventFd();
  disposeTwice(event);
  assertEquals(event.disposed, true);
  await assertDisposed(event, {
    disposed: (event) => event.fd,
    fd: (event) => event.fd,
    signal: (event) => event.signal(),
    take: (event) => event.take(),
  });
});

Deno.test("a disposed watchdog", async () => {
  const watchdog = new Watchdog();
  disposeTwice(watchdog);
  await assertDisposed(watchdog, {
    arm: (watchdog) => watchdog.arm(1),
    disarm: (watchdog) => watchdog.disarm(),
  });
});

kvmTest("a disposed Kvm, also when it was asked before", async () => {
  const kvm = Kvm.open();
  kvm.supportedCpuid();
  kvm.vcpuMmapSize();
  disposeTwice(kvm);
  await assertDisposed(kvm, kvmMembers);
});

kvmTest("a disposed VM, its memory, interrupts and events", async () => {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  vm.memory.addRam(0, PAGE_SIZE);
  disposeTwice(vm);
  using event = new EventFd();
  await assertDisposed(vm, vmMembers);
  await assertDisposed(vm.memory, memoryMembers);
  await assertDisposed(vm.irq, irqMembers(event));
  await assertDisposed(vm.events, {
    renewEventFds: (events) => events.renewEventFds(),
    assign: (events) => events.assign(event, access),
    release: (events) => events.release(event, access),
    coalesce: (events) => events.coalesce(access),
    stopCoalescing: (events) => events.stopCoalescing(access),
  });
  await assertDisposed(vm.xen, {
    attribute: (xen) => xen.attribute("long-mode"),
    renewEventFds: (xen) => xen.renewEventFds(),
    restore: (xen) => xen.restore({ attributes: {}, ports: [] }),
    save: (xen) => xen.save(true),
    sendEvent: (xen) => xen.sendEvent(1, 0),
    setAttribute: (xen) => xen.setAttribute("long-mode", { long_mode: 1 }),
    setConfig: (xen) => xen.setConfig({ flags: 0, msr: 0 }),
  });
  await assertDisposed(vm.hyperv, {
    renewEventFds: (hyperv) => hyperv.renewEventFds(),
    assign: (hyperv) => hyperv.assign(event, 1),
    release: (hyperv) => hyperv.release(1),
  });
  await assertDisposed(vm.encryption, {
    check: (encryption) => encryption.check(),
    command: (encryption) => encryption.command(0),
    registerRegion: (encryption) => encryption.registerRegion(0, PAGE_SIZE),
    unregisterRegion: (encryption) => encryption.unregisterRegion(0, PAGE_SIZE),
  });
});

kvmTest("disposed statistics, which outlive their VM, and a disposed ring", async () => {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  const statistics = vm.statistics();
  vm[Symbol.dispose]();
  assertEquals(statistics.value("remote_tlb_flush"), 0n);
  disposeTwice(statistics);
  await assertDisposed(statistics, {
    read: (statistics) => statistics.read(),
    value: (statistics) => statistics.value("remote_tlb_flush"),
    values: (statistics) => statistics.values("remote_tlb_flush"),
  });
  using other = kvm.createVm();
  other.enableCapability("KVM_CAP_DIRTY_LOG_RING", 0x10000);
  using vcpu = other.createVcpu();
  const ring = vcpu.dirtyRing(0x10000);
  disposeTwice(ring);
  await assertDisposed(ring, {
    // What tells it of its disposal does not throw.
    disposed: (ring) => ring.harvest(),
    harvest: (ring) => ring.harvest(),
    release: (ring) => ring.release(),
    renew: (ring) => ring.renew(0),
  });
});

kvmTest("a disposed VM that is observed reports no action", () => {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  const seen: string[] = [];
  vm.observer = ({ name }) => seen.push(name);
  vm[Symbol.dispose]();
  assertThrows(() => vm.memory.addRam(0, PAGE_SIZE), DisposedError);
  assertThrows(() => vm.irq.createIrqchip(), DisposedError);
  assertEquals(seen, []);
});

kvmTest("a disposed vCPU", async () => {
  using guest = new RealModeVm("hlt");
  const vcpu = guest.vcpu();
  const members = vcpuMembers(vcpu);
  vcpu.run();
  disposeTwice(vcpu);
  await assertDisposed(vcpu, members);
});

kvmTest("a vCPU whose VM was disposed", async () => {
  const guest = new RealModeVm("in al, 0x10");
  const vcpu = guest.vcpu();
  const members = vcpuMembers(vcpu);
  assertEquals(vcpu.run().reason, "pio");
  guest[Symbol.dispose]();
  await assertDisposed(vcpu, members);
  disposeTwice(vcpu);
});

kvmTest("a disposed vCPU thread", async () => {
  using guest = new RealModeVm("hlt");
  const thread = await guest.thread();
  disposeTwice(thread);
  await assertDisposed(thread, {
    call: (thread) => thread.call("regs"),
    kick: (thread) => thread.kick(),
    run: (thread) => thread.run(),
    setImmediateExit: (thread) => thread.setImmediateExit(true),
  });
});

kvmTest("a VM that is disposed while a vCPU thread starts gives no vCPU", async () => {
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  const starting = vm.startVcpu(0);
  vm[Symbol.dispose]();
  await assertRejects(() => starting, Error);
});

kvmTest("a disposed host", async () => {
  const host = LocalHost.open();
  const halt = defineCase({
    id: "exit/hlt",
    spec: "SDM 2A: HLT",
    mode: "real",
    guest: asm`hlt`,
    trace: "hlt",
  });
  assertEquals((await host.run(halt)).verdict, "pass");
  disposeTwice(host);
  await assertDisposed(host, {
    missing: (host) => host.missing(halt),
    run: (host) => host.run(halt),
  });
  assertThrows(() => host.facts.capability("KVM_CAP_HALT_POLL"), DisposedError);
});

kvmTest("disposal closes every descriptor and unmaps all memory", async () => {
  const descriptors = () =>
    [...Deno.readDirSync("/proc/self/fd")]
      .map(({ name }) => {
        try {
          return Deno.readLinkSync(`/proc/self/fd/${name}`);
        } catch {
          return "";
        }
      })
      .filter((target) => /kvm|eventfd/.test(target)).length;
  const mapped = () => Deno.readTextFileSync("/proc/self/maps").match(/kvm-vcpu/g)?.length ?? 0;
  const before = descriptors();
  const mappedBefore = mapped();
  {
    using guest = new RealModeVm("hlt");
    guest.vcpu();
    await guest.thread(1);
    assertEquals(descriptors() - before >= 4, true);
    assertEquals(mapped() - mappedBefore, 3, "one for each vCPU, one more for the thread's");
    assertThrows(() => guest.vcpu(0));
  }
  assertEquals([descriptors(), mapped()], [before, mappedBefore]);
});
