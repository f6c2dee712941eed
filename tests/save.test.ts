/** A VM as a plain value, and a VM made of one. */
import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { EventFd } from "../ffi/eventfd.ts";
import { KvmError } from "../src/kvm/error.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import { RestoreError, type SavedVm, SaveError } from "../src/kvm/saved_state.ts";
import type { Vm } from "../src/kvm/vm.ts";
import { assemble } from "../src/x86/asm/assemble.ts";
import { kvmTest, TemporaryFolder } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

const CODE = 0x8000;
const RAM_SIZE = 0x20000;

/** A guest in real mode at 0x8000, in a VM with what a save has to carry. */
function build(kvm: Kvm, source: string, irqchip = true): Vm {
  const vm = kvm.createVm();
  if (irqchip) {
    vm.irq.createIrqchip();
    vm.irq.createPit(1);
  }
  const { bytes } = assemble(source, { bits: 16, origin: CODE });
  vm.memory.addRam(0, RAM_SIZE).bytes.set(bytes, CODE);
  const vcpu = vm.createVcpu();
  vcpu.setCpuid(kvm.supportedCpuid());
  const sregs = vcpu.sregs();
  vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
  vcpu.setRegs({ ...vcpu.regs(), rip: BigInt(CODE), rsp: 0x7000n });
  return vm;
}

const counting = `
  back: inc bx
  mov [0x9000], bx
  out 0x10, al
  in al, 0x11
  jmp back
`;

/** Enters until the next exit, answers an IN, and gives what the guest had. */
function step(vm: Vm, answer = 0): [reason: string, direction: string, bx: bigint, al: bigint] {
  const vcpu = vm.vcpu();
  const exit = vcpu.run();
  assert(exit.reason === "pio");
  if (exit.direction === "in") vcpu.answer(answer);
  const { rax, rbx } = vcpu.regs();
  return [exit.reason, exit.direction, rbx, rax & 0xffn];
}

for (
  const [how, through] of [
    ["as it is", (saved: SavedVm) => saved],
    ["through JSON", (saved: SavedVm) => JSON.parse(JSON.stringify(saved)) as SavedVm],
    ["through a file", (saved: SavedVm) => {
      using folder = new TemporaryFolder();
      const path = folder.write("vm.json", JSON.stringify(saved));
      return JSON.parse(Deno.readTextFileSync(path)) as SavedVm;
    }],
    ["through a structured clone", (saved: SavedVm) => structuredClone(saved)],
  ] as const
) {
  kvmTest(`a restored VM goes on where the saved one stood, ${how}`, () => {
    using kvm = Kvm.open();
    let saved: SavedVm;
    {
      using vm = build(kvm, counting);
      assertEquals(step(vm), ["pio", "out", 1n, 0n]);
      assertEquals(step(vm, 0x42), ["pio", "in", 1n, 0n]);
      // The IN is pending: a save completes it.
      saved = vm.save();
      assertEquals(vm.vcpu().regs().rax & 0xffn, 0x42n);
      assertEquals(step(vm), ["pio", "out", 2n, 0x42n], "the saved VM goes on too");
    }
    using vm = kvm.restore(through(saved));
    assertEquals(step(vm), ["pio", "out", 2n, 0x42n]);
    assertEquals(vm.memory.bytes(0x9000, 2)[0], 2);
    assertEquals(step(vm, 0x43), ["pio", "in", 2n, 0x42n]);
    assertEquals(step(vm), ["pio", "out", 3n, 0x43n]);
  });
}

kvmTest("a saved VM is plain: JSON gives back the very same value", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, counting);
  vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", 2n);
  vm.irq.setRouting([{ gsi: 3, msi: { address: 0xfee00000n, data: 0x40 } }]);
  vm.setMsrFilter({
    ranges: [{ access: "read", base: 0x10, count: 1, allowed: Uint8Array.of(1) }],
  });
  vm.events.coalesce({ space: "mmio", address: 0xd0000000n, size: 8 });
  vm.vcpu().setGuestDebug({ hardwareBreakpoints: { addresses: [0x8000n], dr7: 2n } });
  const saved = vm.save();
  assertEquals(JSON.parse(JSON.stringify(saved)), saved);
  assertEquals(saved.memories.length, 1);
  // Of 32 pages two are not empty: the code, and nothing else yet.
  assertEquals(saved.memories[0].pages.map(([offset]) => offset), [CODE]);
});

/** What two saves have in common where nothing has run: clocks and timers go on by themselves. */
function comparable(saved: SavedVm): unknown {
  const { clock: _, pit: __, vcpus, ...rest } = saved;
  return { ...rest, vcpus: vcpus.map(({ tscOffset: _, msrs: __, ...vcpu }) => vcpu) };
}

kvmTest("what was restored is saved as it was", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, counting);
  const vcpu = vm.vcpu();
  step(vm);
  vm.irq.setReinject(false);
  vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", 2n);
  vm.irq.setRouting([{ gsi: 3, msi: { address: 0xfee00000n, data: 0x40 } }]);
  vm.events.coalesce({ space: "mmio", address: 0xd0000000n, size: 8 });
  vm.memory.setSlot({
    slot: 7,
    guestAddress: 0x100000,
    size: 0x1000,
    memory: vm.memory.map(0x2000),
    offset: 0x1000,
    flags: 2,
  });
  vcpu.setDebugRegs({ db: [1n, 2n, 3n, 4n], dr6: 0xffff0ff0n, dr7: 0x400n, flags: 0n });
  const xsave = vcpu.xsave();
  xsave.fill(0x31, 160, 416); // XMM0 to XMM15
  xsave[512] |= 2; // XSTATE_BV: SSE is not in its initial state
  vcpu.setXsave(xsave);
  vcpu.nmi();
  vcpu.setMsrs([{ index: 0x174, data: 0x28n }]);
  vcpu.setGuestDebug({ singleStep: true });
  vcpu.requestInterruptWindow = true;
  const saved = vm.save();
  using other = kvm.restore(saved);
  assertEquals(comparable(other.save()), comparable(saved));
  assertEquals(other.vcpu().msrs([0x174]), [{ index: 0x174, data: 0x28n }]);
  assertEquals(other.vcpu().events().nmi.pending, 1);
  assertEquals(other.vcpu().requestInterruptWindow, true);
  assertEquals(other.vcpu().fpu().xmm[15][0], 0x31);
  assertEquals(other.vcpu().run().reason, "debug");
});

kvmTest("slots that share memory share it again", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const memory = vm.memory.addRam(0, 0x2000);
  vm.memory.setSlot({ slot: 1, guestAddress: 0x10000, size: 0x1000, memory, offset: 0x1000 });
  memory.bytes[0x1005] = 0x77;
  using other = kvm.restore(vm.save());
  assertEquals(other.memory.bytes(0x10005, 1)[0], 0x77);
  other.memory.bytes(0x1006, 1)[0] = 0x88;
  assertEquals(other.memory.bytes(0x10006, 1)[0], 0x88);
});

kvmTest("two vCPUs of one thread are saved and restored", () => {
  using guest = new RealModeVm("hlt");
  const { vm, kvm } = guest;
  guest.vcpu(0, { rbx: 0x10n });
  guest.vcpu(1, { rbx: 0x11n });
  using other = kvm.restore(vm.save());
  assertEquals([other.vcpu(0).regs().rbx, other.vcpu(1).regs().rbx], [0x10n, 0x11n]);
  assertThrows(() => other.vcpu(2), RangeError, "there is no vCPU 2");
});

kvmTest("an exit that waits for its answer cannot be saved", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, "in al, 0x10\n hlt", false);
  vm.vcpu().run();
  assertThrows(() => vm.save(), SaveError, "vCPU 0 left the guest with pio, which waits");
  vm.vcpu().answer(0x31);
  vm.save();
  assertEquals(vm.vcpu().run().reason, "hlt");
  assertEquals(vm.vcpu().regs().rax & 0xffn, 0x31n);
});

kvmTest("a vCPU with a thread of its own, or memory of unknown size, cannot be saved", async () => {
  using guest = new RealModeVm("hlt");
  guest.vm.memory.setSlot({
    slot: 3,
    guestAddress: 0x100000,
    size: 0x1000,
    memory: guest.vm.memory.map(0x1000).address,
  });
  assertThrows(() => guest.vm.save(), SaveError, "slot 3 is backed by an address");
  await guest.thread();
  assertThrows(() => guest.vm.save(), SaveError, "vCPU 0 has a thread of its own");
});

const broken: [what: string, change: (saved: SavedVm) => unknown, message: string][] = [
  ["nothing", () => undefined, "its format is not trapline-vm-1"],
  ["another format", (saved) => ({ ...saved, format: "x" }), "its format is not trapline-vm-1"],
  ["no vCPUs", ({ vcpus: _, ...rest }) => rest, "no list vcpus"],
  ["no memory", (saved) => ({ ...saved, memories: [] }), "memory 0, which is not there"],
  ["bytes cut off", (saved) => changed(saved, { regs: "AAAA" }), "regs is not 144 bytes"],
  ["no base64", (saved) => changed(saved, { sregs2: "!" }), "sregs2 is not 320 bytes"],
  ["no base64 CPUID", (saved) => changed(saved, { cpuid: "!" }), "cpuid is not base64"],
  ["MSRs cut off", (saved) => changed(saved, { msrs: ["AQAAAAAAAAA="] }), "msrs is not a struct"],
  ["a long XSAVE", (saved) => changed(saved, { xsave: btoa("x".repeat(9000)) }), "9000 bytes"],
  ["a page beyond", (saved) => {
    return { ...saved, memories: [{ size: 0x1000, pages: [[0x1000, "AAAA"]] }] };
  }, "a page at 4096, beyond its 4096"],
  [
    "an MSR that KVM refuses",
    // IA32_PAT (0x277) of a reserved type, or one that no CPU has.
    (saved) => changed(saved, { msrs: [msrs(0x4b564dff, 1n)] }),
    "KVM refuses MSR 0x4b564dff the value 0x1",
  ],
];

function changed(saved: SavedVm, change: object): unknown {
  return { ...saved, vcpus: [{ ...saved.vcpus[0], ...change }] };
}

function msrs(index: number, data: bigint): string {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(0, 1, true);
  view.setUint32(8, index, true);
  view.setBigUint64(16, data, true);
  return new Uint8Array(view.buffer).toBase64();
}

for (const [what, change, message] of broken) {
  kvmTest(`a saved VM with ${what} is refused, and leaves no VM behind`, () => {
    using kvm = Kvm.open();
    using vm = build(kvm, counting, false);
    const saved = change(vm.save()) as SavedVm;
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    assertThrows(() => kvm.restore(saved), RestoreError, message);
    assertEquals([...Deno.readDirSync("/proc/self/fd")].length, before);
  });
}

kvmTest("a state that KVM refuses is KVM's error", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, counting, false);
  const saved = vm.save();
  const events = Uint8Array.fromBase64(saved.vcpus[0].events);
  events[23] = 0x80;
  const wrong = changed(saved, { events: events.toBase64() }) as SavedVm;
  const error = assertThrows(() => kvm.restore(wrong), KvmError);
  assertInstanceOf(error, KvmError);
  assertEquals([error.call, error.code], ["KVM_SET_VCPU_EVENTS", "EINVAL"]);
});

kvmTest("a VM that is renewed is another one, under the same objects", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, counting);
  const vcpu = vm.vcpu();
  const { fd } = vcpu;
  const seen: string[] = [];
  vm.observer = ({ name }) => seen.push(name);
  using event = new EventFd();
  vm.events.assign(event, { space: "pio", address: 0x10, size: 1 });
  assertEquals(step(vm, 0x51), ["pio", "in", 1n, 0n]);
  assertEquals(event.take(), 1n);
  kvm.renew(vm);
  assertEquals(vcpu.fd, fd);
  assertEquals(step(vm, 0x52), ["pio", "in", 2n, 0x51n]);
  assertEquals(event.take(), 1n, "the eventfd is assigned again");
  vm.events.release(event, { space: "pio", address: 0x10, size: 1 });
  kvm.renew(vm);
  assertEquals(step(vm), ["pio", "out", 3n, 0x52n]);
  assertEquals(seen, ["ioeventfd", "ioeventfd-release"], "a renewal is not observed");
});

kvmTest("renewals leave no descriptor or mapping behind", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, counting, false);
  const held = () => [
    [...Deno.readDirSync("/proc/self/fd")].length,
    Deno.readTextFileSync("/proc/self/maps").split("\n").filter((line) => line.includes("kvm"))
      .length,
  ];
  kvm.renew(vm);
  const before = held();
  for (let round = 0; round < 20; round++) kvm.renew(vm);
  assertEquals(held(), before);
});

kvmTest("what must be answered first cannot be renewed, and the VM goes on", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, "in al, 0x10\n hlt", false);
  vm.vcpu().run();
  assertThrows(() => kvm.renew(vm), SaveError, "which waits");
  vm.vcpu().answer(0x31);
  kvm.renew(vm);
  assertEquals(vm.vcpu().run().reason, "hlt");
});

kvmTest("a kick outlives a renewal", () => {
  using kvm = Kvm.open();
  using vm = build(kvm, counting, false);
  vm.vcpu().kick();
  kvm.renew(vm);
  assertEquals(vm.vcpu().run(), { reason: "intr", cause: "kick" });
  assertEquals(step(vm), ["pio", "out", 1n, 0n]);
});
