import { asm, defineCase, Kvm, type SavedVm, type Vm } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** Guest physical addresses: shared_info, vcpu_info, one more pvclock, the runstate. */
const [SHARED_INFO, VCPU_INFO, TIME_INFO, RUNSTATE] = [0x101000, 0x102040, 0x102100, 0x102200];
/** Where a 64-bit shared_info has its wall clock. */
const WALL_CLOCK = 0xc00;
const SECOND = 1_000_000_000n;

/** What can be read, but for times that go on. */
function read(vm: Vm): object {
  const { xen } = vm.vcpu();
  const { state: _, state_entry_time: __, time_running: ___, time_runnable: ____, ...times } =
    xen.attribute("runstate-data").runstate;
  return {
    "long-mode": vm.xen.attribute("long-mode"),
    "upcall-vector": vm.xen.attribute("upcall-vector"),
    "xen-version": vm.xen.attribute("xen-version"),
    "shared-info": vm.xen.attribute("shared-info"),
    "vcpu-id": xen.attribute("vcpu-id"),
    "vector of the vCPU": xen.attribute("upcall-vector"),
    "vcpu-info": xen.attribute("vcpu-info"),
    "vcpu-time-info": xen.attribute("vcpu-time-info"),
    "runstate-address": xen.attribute("runstate-address"),
    "time blocked and offline": times,
    "timer": xen.attribute("timer"),
  };
}

/** An event channel of the guest's, from a port to the same one. */
function assign(vm: Vm, port: number): string {
  return refusal(() =>
    vm.xen.setAttribute("evtchn-port", {
      evtchn: {
        send_port: port,
        type: 5,
        flags: 0,
        deliver: { port: { port, vcpu: 0, priority: 0xffffffff } },
      },
    })
  );
}

/** What a VM and a vCPU have of Xen's comes back with a save, and KVM writes none of it elsewhere. */
export default defineCase({
  id: "state/xen-saved",
  spec: [
    "KVM API 4.28: KVM_XEN_HVM_CONFIG",
    "KVM API 4.126 to 4.129: attributes of a VM and a vCPU, to be read and set for a migration",
  ],
  mode: "real",
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 0x20 }],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    using vm = freshVm(context);
    vm.observer = undefined;
    vm.memory.addRam(0, 0x1000);
    vm.memory.addRam(0x100000, 0x4000);
    vm.setClock({ clock: 1000n * SECOND });
    const { xen } = vm.createVcpu(0);
    // An MSR that KVM lists, as Hyper-V's.
    vm.xen.setConfig({ flags: 0x22, msr: 0x40000000 });
    vm.xen.setAttribute("long-mode", { long_mode: 1 });
    vm.xen.setAttribute("upcall-vector", { vector: 0xf3 });
    vm.xen.setAttribute("xen-version", { xen_version: 0x40011 });
    vm.xen.setAttribute("shared-info", { shared_info: { gfn: BigInt(SHARED_INFO >> 12) } });
    xen.setAttribute("vcpu-id", { vcpu_id: 5 });
    xen.setAttribute("upcall-vector", { vector: 0x31 });
    xen.setAttribute("vcpu-info", { gpa: BigInt(VCPU_INFO) });
    xen.setAttribute("vcpu-time-info", { gpa: BigInt(TIME_INFO) });
    xen.setAttribute("runstate-address", { gpa: BigInt(RUNSTATE) });
    xen.setAttribute("runstate-data", {
      runstate: {
        state: 0n,
        state_entry_time: 100n * SECOND,
        time_running: 10n * SECOND,
        time_runnable: 20n * SECOND,
        time_blocked: 30n * SECOND,
        time_offline: 40n * SECOND,
      },
    });
    xen.setAttribute("timer", {
      timer: { port: 9, priority: 0xffffffff, expires_ns: 1_000_000n * SECOND },
    });
    assertEquals("a channel", assign(vm, 7), "none");
    const wallClock = vm.memory.bytes(SHARED_INFO + WALL_CLOCK, 16);
    wallClock.fill(0x5a);
    const expected = read(vm);

    using kvm = Kvm.open();
    const saved: SavedVm = JSON.parse(JSON.stringify(vm.save()));
    using other = kvm.restore(saved);
    assertEquals("the other VM", read(other), expected);
    assertEquals(
      "its wall clock",
      other.memory.bytes(SHARED_INFO + WALL_CLOCK, 16).slice(),
      wallClock.slice(),
    );
    assertEquals("its first page", other.memory.bytes(0, 0x1000).every((byte) => byte === 0), true);
    assertEquals("its configuration", other.save().xen, saved.xen);
    assertEquals("its channels", [assign(other, 7), assign(other, 8)], ["EEXIST", "none"]);

    kvm.renew(vm);
    assertEquals("the renewed VM", read(vm), expected);
    assertEquals("its wall clock", wallClock.slice(), new Uint8Array(16).fill(0x5a));
    assertEquals("its channels", [assign(vm, 7), assign(vm, 8)], ["EEXIST", "none"]);
  },
  trace: `hlt`,
});
