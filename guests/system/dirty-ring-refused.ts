import { asm, defineCase, SystemCallError } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** Without the capability there is no ring: neither to map nor to reset. */
export default defineCase({
  id: "system/dirty-ring-refused",
  spec: [
    "KVM API 8.29: KVM_CAP_DIRTY_LOG_RING",
    "virt/kvm/kvm_main.c: kvm_vm_ioctl_reset_dirty_pages, kvm_vcpu_mmap (6.1, 6.12)",
  ],
  mode: "real",
  requires: ["KVM_CAP_DIRTY_LOG_RING"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    const { assertEquals } = context;
    assertEquals("a reset", refusal(() => vm.memory.resetDirtyRings()), "EINVAL");
    vm.enableCapability("KVM_CAP_DIRTY_LOG_RING", 0x10000);
    assertEquals("a reset without a vCPU", vm.memory.resetDirtyRings(), 0);
    const vcpu = vm.createVcpu();
    // A page of the ring that is executable or private would not be the kernel's.
    using ring = vcpu.dirtyRing(0x10000);
    assertEquals("an empty ring", ring.harvest(), []);
    let code: string | undefined;
    try {
      using other = freshVm(context);
      other.createVcpu().dirtyRing(0x1000)[Symbol.dispose]();
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      code = error.code;
    }
    // Nothing is mapped until it is touched: both answers leave the process unharmed.
    assertEquals("a ring that is not there", code === undefined || code === "EINVAL", true);
  },
  trace: `hlt`,
});
