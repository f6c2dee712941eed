import { asm, defineCases, ioctl, Kvm } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

const rows = {
  // SEV's types have preconditions of their own: what is not offered is refused, is all that is promised.
  "every-type": { types: [0, 1, 2, 3, 4, 5, 31], requires: ["KVM_CAP_VM_TYPES"] },
  "default": { types: [0], requires: [] },
  "unknown": { types: [0x7fffffff, 0x100, 63], requires: [] },
} as const;

/** The system makes VMs of the types that KVM_CAP_VM_TYPES has a bit of, and no others. */
export default defineCases("system/create-vm", rows, ({ types, requires }) => ({
  spec: ["KVM API 4.2: KVM_CREATE_VM", "KVM API 8.41: KVM_CAP_VM_TYPES"],
  mode: "real",
  requires,
  guest: asm`hlt`,
  drive({ assertEquals }) {
    using kvm = Kvm.open();
    const offered = kvm.checkExtension("KVM_CAP_VM_TYPES") || 1;
    for (const type of types) {
      const isOffered = type < 32 && (offered >>> type & 1) === 1;
      const answer = refusal(() => {
        using vm = kvm.createVm(type);
        assertEquals("an empty VM has a descriptor", vm.fd > 0, true);
      });
      if (!isOffered) assertEquals(`a VM of type ${type}`, answer, "EINVAL");
      else if (type <= 1) assertEquals(`a VM of type ${type}`, answer, "none");
    }
    assertEquals(
      "a type of more than 32 bits",
      refusal(() => ioctl(kvm, "KVM_CREATE_VM", 1n << 32n | 0x40n)),
      "EINVAL",
    );
  },
  trace: `hlt`,
}));
