import { asm, defineCase, ioctl, Kvm } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** The API's version is 12; like the size of the shared area it is asked without an argument. */
export default defineCase({
  id: "system/api-version",
  spec: [
    "KVM API 4.1: KVM_GET_API_VERSION",
    "KVM API 4.5: KVM_GET_VCPU_MMAP_SIZE",
    "virt/kvm/kvm_main.c: kvm_dev_ioctl (6.1, 6.12): an argument is EINVAL",
  ],
  mode: "real",
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    assertEquals("the version", kvm.apiVersion(), 12);
    const size = kvm.vcpuMmapSize();
    assertEquals("bytes beyond whole pages", size % 0x1000, 0);
    // The page of struct kvm_run, that of PIO data and that of coalesced writes.
    assertEquals("room for three pages", size >= 0x3000, true);
    assertEquals("with an argument", {
      version: refusal(() => ioctl(kvm, "KVM_GET_API_VERSION", 1)),
      size: refusal(() => ioctl(kvm, "KVM_GET_VCPU_MMAP_SIZE", 1)),
    }, { version: "EINVAL", size: "EINVAL" });
  },
  trace: `hlt`,
});
