import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { DisposedError } from "../ffi/disposed.ts";
import { EventFd } from "../ffi/eventfd.ts";
import { FileDescriptor } from "../ffi/file_descriptor.ts";
import { Mapping, PAGE_SIZE } from "../ffi/mapping.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import type { SavedVcpu, SavedVm } from "../src/kvm/saved_state.ts";
import type { Vcpu } from "../src/kvm/vcpu.ts";
import type { Vm } from "../src/kvm/vm.ts";
import { Watchdog } from "../src/kvm/watchdog.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { defineCase } from "../src/suite/case.ts";
import { LocalHost } from "../src/suite/local_host.ts";
import { kvmTest, projectRoot, runDeno } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

type Member = (object: never) => unknown;
type Members<T> = Record<string, (object: T) => unknown>;

/** Every method, getter and setter (`name=`) on an object's prototypes; disposal is its own test. */
function publicMembers(object: object): string[] {
  const names = new Set<string>();
  let prototype = Object.getPrototypeOf(object);
  for (; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    const descriptors = Object.getOwnPropertyDescriptors(prototype);
    for (const [name, { get, set, value }] of Object.entries(descriptors)) {
      if (name === "constructor") continue;
      if (get !== undefined || value !== undefined) names.add(name);
      if (set !== undefined) names.add(`${name}=`);
    }
  }
  return [...names].sort();
}

/** Fails unless every member is listed, and throws or rejects with a DisposedError. */
async function assertDisposed<T extends object>(object: T, members: Members<T>): Promise<void> {
  assertEquals(Object.keys(members).sort(), publicMembers(object), "list every public member");
  for (const [name, use] of Object.entries(members)) {
    let thrown: unknown;
    try {
      await (use as Member)(object as never);
    } catch (error) {
      thrown = error;
    }
    assertInstanceOf(thrown, DisposedError, `${object.constructor.name}.${name} after disposal`);
  }
}

function disposeTwice(object: Disposable): void {
  object[Symbol.dispose]();
  object[Symbol.dispose]();
}

/** Nothing of it is looked at any more. */
const nothing = {} as SavedVm;

const kvmMembers: Members<Kvm> = {
  apiVersion: (kvm) => kvm.apiVersion(),
  attribute: (kvm) => kvm.attribute({ group: 0, attribute: 0 }),
  checkExtension: (kvm) => kvm.checkExtension("KVM_CAP_IRQCHIP"),
  createVm: (kvm) => kvm.createVm(),
  renew: (kvm) => kvm.renew(undefined as unknown as Vm),
  restore: (kvm) => kvm.restore(nothing),
  emulatedCpuid: (kvm) => kvm.emulatedCpuid(),
  fd: (kvm) => kvm.fd,
  featureMsrs: (kvm) => kvm.featureMsrs([]),
  hasAttribute: (kvm) => kvm.hasAttribute({ group: 0, attribute: 0 }),
  mceCapSupported: (kvm) => kvm.mceCapSupported(),
  msrFeatureIndexList: (kvm) => kvm.msrFeatureIndexList(),
  msrIndexList: (kvm) => kvm.msrIndexList(),
  supportedCpuid: (kvm) => kvm.supportedCpuid(),
  supportedHypervCpuid: (kvm) => kvm.supportedHypervCpuid(),
  vcpuMmapSize: (kvm) => kvm.vcpuMmapSize(),
};

const vmMembers: Members<Vm> = {
  checkExtension: (vm) => vm.checkExtension("KVM_CAP_IRQCHIP"),
  clock: (vm) => vm.clock(),
  createDevice: (vm) => vm.createDevice(4),
  createVcpu: (vm) => vm.createVcpu(),
  renew: (vm) => vm.renew(() => 0, 0),
  restoreState: (vm) => vm.restoreState(nothing),
  save: (vm) => vm.save(),
  vcpu: (vm) => vm.vcpu(),
  withWholeEvents: (vm) => vm.withWholeEvents(() => {}),
  enableCapability: (vm) => vm.enableCapability("KVM_CAP_SPLIT_IRQCHIP", 24),
  fd: (vm) => vm.fd,
  hasDeviceType: (vm) => vm.hasDeviceType(4),
  mmuPages: (vm) => vm.mmuPages(),
  setBootCpuId: (vm) => vm.setBootCpuId(1),
  setClock: (vm) => vm.setClock({ clock: 0n }),
  setIdentityMapAddress: (vm) => vm.setIdentityMapAddress(0xfffbc000),
  setMmuPages: (vm) => vm.setMmuPages(64),
  setMsrFilter: (vm) => vm.setMsrFilter({}),
  setPmuEventFilter: (vm) => vm.setPmuEventFilter({ action: "deny", events: [] }),
  setTscKhz: (vm) => vm.setTscKhz(0),
  setTssAddress: (vm) => vm.setTssAddress(0xfffbd000),
  startVcpu: (vm) => vm.startVcpu(1),
  statistics: (vm) => vm.statistics(),
  tscKhz: (vm) => vm.tscKhz(),
};

const memoryMembers: Members<Vm["memory"]> = {
  carryDirtyLogs: (memory) => memory.carryDirtyLogs(),
  configuredSlots: (memory) => memory.configuredSlots(),
  renewSlots: (memory) => memory.renewSlots(),
  addRam: (memory) => memory.addRam(0x100000, PAGE_SIZE),
  bytes: (memory) => memory.bytes(0, 1),
  clearDirtyLog: (memory) => memory.clearDirtyLog(0, 0, 64),
  createFile: (memory) => memory.createFile(PAGE_SIZE),
  dirtyLog: (memory) => memory.dirtyLog(0, 64),
  map: (memory) => memory.map(PAGE_SIZE),
  resetDirtyRings: (memory) => memory.resetDirtyRings(),
  setAttributes: (memory) => memory.setAttributes(0, PAGE_SIZE, 0),
  setSlot2: (memory) => memory.setSlot2({ slot: 0, guestAddress: 0, size: 0 }),
  setSlot: (memory) => memory.setSlot({ slot: 0, guestAddress: 0, size: 0 }),
  slots: (memory) => memory.slots(),
};

const access = { space: "pio", address: 0x10, size: 1 } as const;

const counter = {
  count: 0,
  latched_count: 0,
  count_latched: 0,
  status_latched: 0,
  status: 0,
  read_state: 0,
  write_state: 0,
  write_latch: 0,
  rw_mode: 0,
  mode: 0,
  bcd: 0,
  gate: 0,
  count_load_time: 0n,
};
const channels = [counter, counter, counter];

const pic = {
  last_irr: 0,
  irr: 0,
  imr: 0,
  isr: 0,
  priority_add: 0,
  irq_base: 0,
  read_reg_select: 0,
  poll: 0,
  special_mask: 0,
  init_state: 0,
  auto_eoi: 0,
  rotate_on_auto_eoi: 0,
  special_fully_nested_mode: 0,
  init4: 0,
  elcr: 0,
  elcr_mask: 0,
};

const ioapic = { base_address: 0n, ioregsel: 0, id: 0, irr: 0, redirtbl: Array(24).fill(0n) };

function irqMembers(event: EventFd): Members<Vm["irq"]> {
  return {
    quiesceEventFds: (irq) => irq.quiesceEventFds(),
    renewEventFds: (irq) => irq.renewEventFds(),
    createPit1: (irq) => irq.createPit1(),
    ioapic: (irq) => irq.ioapic(),
    pic: (irq) => irq.pic("pic-master"),
    pit: (irq) => irq.pit(),
    pit2: (irq) => irq.pit2(),
    setChipState: (irq) => irq.setChipState("ioapic", new Uint8Array(512)),
    setIoapic: (irq) => irq.setIoapic(ioapic),
    setPic: (irq) => irq.setPic("pic-slave", pic),
    setPit: (irq) => irq.setPit({ channels }),
    setPit2: (irq) => irq.setPit2({ channels, flags: 0 }),
    setReinject: (irq) => irq.setReinject(true),
    assignEventFd: (irq) => irq.assignEventFd(event, 4),
    chipState: (irq) => irq.chipState("ioapic"),
    createIrqchip: (irq) => irq.createIrqchip(),
    createPit: (irq) => irq.createPit(),
    releaseEventFd: (irq) => irq.releaseEventFd(event, 4),
    setLine: (irq) => irq.setLine(4, 1),
    setLineStatus: (irq) => irq.setLineStatus(4, 1),
    setRouting: (irq) => irq.setRouting([]),
    signalMsi: (irq) => irq.signalMsi({ address: 0xfee00000, data: 0x20 }),
  };
}

function vcpuMembers(vcpu: Vcpu): Members<Vcpu> {
  const [regs, sregs, events] = [vcpu.regs(), vcpu.sregs(), vcpu.events()];
  const [debugRegs, mpState] = [vcpu.debugRegs(), vcpu.mpState()];
  const [sregs2, fpu, xsave] = [vcpu.sregs2(), vcpu.fpu(), vcpu.xsave()];
  const nested = { flags: 0, format: 0, data: new Uint8Array(120) };
  const check = { bank: 0, status: 0n, addr: 0n, misc: 0n, mcg_status: 0n };
  return {
    answer: (vcpu) => vcpu.answer(1),
    apicBase: (vcpu) => vcpu.apicBase,
    cr8: (vcpu) => vcpu.cr8,
    "cr8=": (vcpu) => vcpu.cr8 = 1n,
    debugRegs: (vcpu) => vcpu.debugRegs(),
    events: (vcpu) => vcpu.events(),
    fd: (vcpu) => vcpu.fd,
    ifFlag: (vcpu) => vcpu.ifFlag,
    immediateExit: (vcpu) => vcpu.immediateExit,
    "immediateExit=": (vcpu) => vcpu.immediateExit = true,
    interrupt: (vcpu) => vcpu.interrupt(0x20),
    kick: (vcpu) => vcpu.kick(),
    mpState: (vcpu) => vcpu.mpState(),
    msrs: (vcpu) => vcpu.msrs([0x10]),
    nmi: (vcpu) => vcpu.nmi(),
    readyForInterruptInjection: (vcpu) => vcpu.readyForInterruptInjection,
    refuse: (vcpu) => vcpu.refuse(),
    regs: (vcpu) => vcpu.regs(),
    requestInterruptWindow: (vcpu) => vcpu.requestInterruptWindow,
    "requestInterruptWindow=": (vcpu) => vcpu.requestInterruptWindow = true,
    run: (vcpu) => vcpu.run(),
    setCpuid: (vcpu) => vcpu.setCpuid([]),
    setGuestDebug: (vcpu) => vcpu.setGuestDebug(),
    takeCoalesced: (vcpu) => vcpu.takeCoalesced(),
    setDebugRegs: (vcpu) => vcpu.setDebugRegs(debugRegs),
    setEvents: (vcpu) => vcpu.setEvents(events),
    setMpState: (vcpu) => vcpu.setMpState(mpState),
    setMsrs: (vcpu) => vcpu.setMsrs([{ index: 0x10, data: 0n }]),
    setRegs: (vcpu) => vcpu.setRegs(regs),
    setSregs: (vcpu) => vcpu.setSregs(sregs),
    sregs: (vcpu) => vcpu.sregs(),
    translate: (vcpu) => vcpu.translate(0n),
    disposed: (vcpu) => vcpu.fd,
    hasXsave2: (vcpu) => vcpu.hasXsave2(),
    release: (vcpu) => vcpu.release(0),
    renew: (vcpu) => vcpu.renew(),
    restore: (vcpu) => vcpu.restore({} as SavedVcpu),
    save: (vcpu) => vcpu.save(),
    complete: (vcpu) => vcpu.complete(),
    dirtyRing: (vcpu) => vcpu.dirtyRing(PAGE_SIZE),
    preFault: (vcpu) => vcpu.preFault(0, PAGE_SIZE),
    statistics: (vcpu) => vcpu.statistics(),
    supportedHypervCpuid: (vcpu) => vcpu.supportedHypervCpuid(),
    cpuid: (vcpu) => vcpu.cpuid(),
    enableCapability: (vcpu) => vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", 0),
    fpu: (vcpu) => vcpu.fpu(),
    hasTscOffset: (vcpu) => vcpu.hasTscOffset(),
    kvmclockControl: (vcpu) => vcpu.kvmclockControl(),
    lapic: (vcpu) => vcpu.lapic(),
    nestedState: (vcpu) => vcpu.nestedState(),
    oneRegister: (vcpu) => vcpu.oneRegister(0n),
    setBasicCpuid: (vcpu) => vcpu.setBasicCpuid([]),
    setFpu: (vcpu) => vcpu.setFpu(fpu),
    setLapic: (vcpu) => vcpu.setLapic(new Uint8Array(1024)),
    setMce: (vcpu) => vcpu.setMce(check),
    setNestedState: (vcpu) => vcpu.setNestedState(nested),
    setOneRegister: (vcpu) => vcpu.setOneRegister(0n, 0n),
    setSregs2: (vcpu) => vcpu.setSregs2(sregs2),
    setTprAccessReporting: (vcpu) => vcpu.setTprAccessReporting(true),
    setTscKhz: (vcpu) => vcpu.setTscKhz(0),
    setTscOffset: (vcpu) => vcpu.setTscOffset(0n),
    setVapicAddress: (vcpu) => vcpu.setVapicAddress(0n),
    setXcrs: (vcpu) => vcpu.setXcrs([]),
    setXsave: (vcpu) => vcpu.setXsave(xsave),
    setupMce: (vcpu) => vcpu.setupMce(1n),
    smi: (vcpu) => vcpu.smi(),
    sregs2: (vcpu) => vcpu.sregs2(),
    tscKhz: (vcpu) => vcpu.tscKhz(),
    tscOffset: (vcpu) => vcpu.tscOffset(),
    unanswered: (vcpu) => vcpu.unanswered,
    xcrs: (vcpu) => vcpu.xcrs(),
    xsave: (vcpu) => vcpu.xsave(),
    xsaveSize: (vcpu) => vcpu.xsaveSize(),
  };
}

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
    sendEvent: (xen) => xen.sendEvent(1, 0),
    setAttribute: (xen) => xen.setAttribute("long-mode", { long_mode: 1 }),
    setConfig: (xen) => xen.setConfig({ flags: 0, msr: 0 }),
  });
  await assertDisposed(vm.hyperv, {
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
  await assertDisposed(ring, { harvest: (ring) => ring.harvest() });
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

Deno.test("a failed open leaves no descriptor open", () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = count();
  for (let round = 0; round < 3; round++) assertThrows(() => Kvm.open("/dev/null"));
  assertEquals(count(), before);
  using fd = FileDescriptor.open("/dev/null");
  assertEquals([fd.disposed, count()], [false, before + 1]);
});

/** Everything that could reach unmapped memory; prints its last line when it has survived. */
const lateUse = `
import { Kvm } from "${new URL("src/kvm/kvm.ts", projectRoot)}";
import { Mapping } from "${new URL("ffi/mapping.ts", projectRoot)}";

function use(views) {
  let total = 0;
  for (const view of views) {
    try {
      if (view instanceof DataView) { view.setUint8(0, 1); total += view.getUint8(0); }
      else { view.fill(1); view[0] = 1; total += view[0] ?? 0; }
    } catch (error) { if (!(error instanceof TypeError)) throw error; }
  }
  if (total !== 0) throw new Error("a view is still attached");
}
function attempt(body) { try { body(); } catch { /* Typed errors are the other tests'. */ } }

const mapping = Mapping.anonymous(0x2000);
const views = [mapping.bytes, mapping.view, mapping.bytes.subarray(0x1000), new Uint32Array(mapping.bytes.buffer)];
mapping[Symbol.dispose]();
use(views);

const kvm = Kvm.open();
const vm = kvm.createVm();
const ram = vm.memory.addRam(0, 0x10000);
const inside = [ram.bytes, ram.view, vm.memory.bytes(0x1000, 16), ...vm.memory.slots().map(({ bytes }) => bytes)];
const borrowed = Mapping.anonymous(0x1000);
vm.memory.setSlot({ slot: 5, guestAddress: 0x20000, size: 0x1000, memory: borrowed });
const vcpu = vm.createVcpu();
borrowed[Symbol.dispose]();
attempt(() => vm.memory.bytes(0x20000, 1).fill(1));
attempt(() => vm.memory.slots());
attempt(() => vcpu.run());
vm[Symbol.dispose]();
use(inside);
for (const use of [() => vcpu.run(), () => vcpu.answer(1), () => vcpu.refuse(), () => vcpu.cr8,
  () => { vcpu.immediateExit = true; }, () => vcpu.ifFlag]) attempt(use);
kvm[Symbol.dispose]();

// In another order: the system descriptor first, then the VM, with a thread in its guest.
const second = Kvm.open();
const other = second.createVm();
second[Symbol.dispose]();
other.memory.addRam(0, 0x1000).bytes.set([0xeb, 0xfe]);
const thread = await other.startVcpu(0);
const sregs = await thread.call("sregs");
await thread.call("setSregs", { ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
await thread.call("setRegs", { ...await thread.call("regs"), rip: 0n });
const running = thread.run().catch((error) => error.name);
await new Promise((resolve) => setTimeout(resolve, 20));
other[Symbol.dispose]();
attempt(() => thread.setImmediateExit(true));
attempt(() => thread.kick());
console.log("survived", await running);
`;

kvmTest("no late use reaches unmapped memory", async () => {
  const { code, signal, stdout, stderr } = await runDeno([
    "eval",
    "--no-check",
    lateUse,
  ]);
  assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
  assertEquals(stdout, "survived DisposedError\n");
});
