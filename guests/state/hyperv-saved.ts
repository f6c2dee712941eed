import { asm, defineCase, EventFd, Kvm, type SavedVm, type Vm } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";
import { becomeHyperv, requires } from "../hyperv/_hyperv.ts";

/** Synthetic MSRs with values of their own, in the order in which a guest would set them. */
const values: readonly (readonly [index: number, data: bigint])[] = [
  [0x40000000, 0x8100000000000000n],
  [0x40000001, 0x100001n],
  [0x40000021, 0x101001n],
  [0x40000081, 2n],
  [0x40000080, 0n],
  [0x40000082, 0x102001n],
  [0x40000083, 0x103001n],
  [0x40000090, 0x31n],
  [0x4000009f, 0x1003fn],
  // A timer that is off, with a count.
  [0x400000b0, 0x20008n],
  [0x400000b1, 0x123456n],
  [0x400000b6, 0x30002n],
  [0x400000f3, 0xb000n],
  [0x400000f4, 0xc000n],
  [0x400000f5, 0xd000n],
  [0x400000f2, 0x20005n],
  [0x400000ff, 4n],
  [0x40000100, 0x1122334455667788n],
  [0x40000104, 0x99n],
  [0x40000106, 0x100f1n],
];

const read = (vm: Vm) => vm.vcpu().msrs(values.map(([index]) => index));

/** What a VM and a vCPU have of Hyper-V's comes back with a save, and eventfds with a renewal. */
export default defineCase({
  id: "state/hyperv-saved",
  spec: [
    "KVM API 4.18: KVM_GET_MSRS, KVM_SET_MSRS: Hyper-V's MSRs are a part of the state",
    "KVM API 8.11: KVM_CAP_HYPERV_SYNIC2",
    "KVM API 4.113: KVM_HYPERV_EVENTFD",
  ],
  mode: "real",
  requires: [...requires, "KVM_CAP_HYPERV_SYNIC2", "KVM_CAP_HYPERV_EVENTFD"],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    using vm = freshVm(context);
    vm.observer = undefined;
    vm.memory.addRam(0x100000, 0x4000);
    vm.irq.createIrqchip();
    const vcpu = vm.createVcpu(0);
    // A save finds what it has to read: what comes later has to be found too.
    vm.save();
    becomeHyperv({ ...context, vcpu });
    vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2");
    assertEquals(
      "what KVM takes",
      values.filter(([index, data]) => vcpu.setMsrs([{ index, data }]) !== 1),
      [],
    );
    const expected = values.map(([index, data]) => ({ index, data }));
    assertEquals("what it has", read(vm), expected);
    using event = new EventFd();
    vm.hyperv.assign(event, 5);

    using kvm = Kvm.open();
    const saved: SavedVm = JSON.parse(JSON.stringify(vm.save()));
    using other = kvm.restore(saved);
    assertEquals("the other VM", read(other), expected);
    assertEquals("its connection", refusal(() => other.hyperv.assign(event, 5)), "none");

    kvm.renew(vm);
    assertEquals("the renewed VM", read(vm), expected);
    assertEquals("its connection", refusal(() => vm.hyperv.assign(event, 5)), "EEXIST");
    vm.hyperv.release(5);
    kvm.renew(vm);
    assertEquals("a released connection", refusal(() => vm.hyperv.assign(event, 5)), "none");
  },
  trace: `hlt`,
});
