import { asm, capabilities, type CapabilityName, defineCase, ioctl, Kvm } from "../../mod.ts";

/** Capabilities of which a VM may say something else than the system, or that depend on its type. */
const ofVm: ReadonlySet<CapabilityName> = new Set([
  "KVM_CAP_MEMORY_ATTRIBUTES",
  "KVM_CAP_GUEST_MEMFD",
  "KVM_CAP_READONLY_MEM",
  "KVM_CAP_MULTI_ADDRESS_SPACE",
  "KVM_CAP_MAX_VCPUS",
  "KVM_CAP_X86_SMM",
  "KVM_CAP_PRE_FAULT_MEMORY",
  "KVM_CAP_X2APIC_API",
]);

/** KVM answers 0 for a capability that is none, and an ordinary VM answers what the system does. */
export default defineCase({
  id: "system/check-extension",
  spec: ["KVM API 4.4: KVM_CHECK_EXTENSION"],
  mode: "real",
  requires: ["KVM_CAP_CHECK_EXTENSION_VM"],
  guest: asm`hlt`,
  drive({ vm, assertEquals }) {
    using kvm = Kvm.open();
    for (const number of [0x7fffffff, 100_000]) {
      assertEquals(`capability ${number}`, ioctl(kvm, "KVM_CHECK_EXTENSION", number), 0);
      assertEquals(`of the VM`, ioctl(vm, "KVM_CHECK_EXTENSION", number), 0);
    }
    const different = (Object.keys(capabilities) as CapabilityName[])
      .filter((name) => !ofVm.has(name) && kvm.checkExtension(name) !== vm.checkExtension(name));
    assertEquals("answers of system and VM that differ", different, []);
    // What "basic" in the document means.
    assertEquals("KVM_CAP_USER_MEMORY", kvm.checkExtension("KVM_CAP_USER_MEMORY"), 1);
    const slots = kvm.checkExtension("KVM_CAP_NR_MEMSLOTS");
    assertEquals("at least 32 slots, as the oldest KVM had", slots >= 32, true);
    const [recommended, maximum, ids] = (
      ["KVM_CAP_NR_VCPUS", "KVM_CAP_MAX_VCPUS", "KVM_CAP_MAX_VCPU_ID"] as const
    ).map((name) => kvm.checkExtension(name));
    assertEquals("vCPUs", recommended >= 1 && recommended <= maximum && maximum <= ids, true);
  },
  trace: `hlt`,
});
