/** Every member of every class that can be disposed, and a use of it. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { DisposedError } from "../ffi/disposed.ts";
import { EventFd } from "../ffi/eventfd.ts";
import { PAGE_SIZE } from "../ffi/mapping.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import type { SavedVcpu, SavedVm } from "../src/kvm/saved_state.ts";
import type { Vcpu } from "../src/kvm/vcpu.ts";
import type { Vm } from "../src/kvm/vm.ts";

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
export async function assertDisposed<T extends object>(
  object: T,
  members: Members<T>,
): Promise<void> {
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

/** Disposal is once, however often it is called. */
export function disposeTwice(object: Disposable): void {
  object[Symbol.dispose]();
  object[Symbol.dispose]();
}

/** Nothing of it is looked at any more. */
const nothing = {} as SavedVm;

/** Of {@link Kvm}. */
export const kvmMembers: Members<Kvm> = {
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

/** Of {@link Vm}. */
export const vmMembers: Members<Vm> = {
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

/** Of its memory. */
export const memoryMembers: Members<Vm["memory"]> = {
  carryDirtyLogs: (memory) => memory.carryDirtyLogs(),
  configuredSlots: (memory) => memory.configuredSlots(),
  ownFile: (memory) => memory.ownFile(0x1000n),
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

/** An access of the guest's. */
export const access = { space: "pio", address: 0x10, size: 1 } as const;

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

/** Of its interrupts. */
export function irqMembers(event: EventFd): Members<Vm["irq"]> {
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

/** Of {@link Vcpu}. */
export function vcpuMembers(vcpu: Vcpu): Members<Vcpu> {
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
