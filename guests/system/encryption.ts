import { asm, defineCase } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** An ordinary VM's memory is not encrypted, whether the host could or not. */
export default defineCase({
  id: "system/encryption",
  spec: [
    "KVM API 4.110 to 4.112: KVM_MEMORY_ENCRYPT_OP, _REG_REGION, _UNREG_REGION",
    "Documentation/virt/kvm/x86/amd-memory-encryption.rst: ENOTTY where SEV is not there",
  ],
  mode: "real",
  guest: asm`hlt`,
  drive({ vm, assertEquals }) {
    const { observer } = vm;
    vm.observer = undefined;
    const able = refusal(() => vm.encryption.check());
    const memory = vm.memory.map(0x1000);
    const answers = {
      // KVM_SEV_LAUNCH_START without KVM_SEV_INIT.
      command: refusal(() => vm.encryption.command(2, new Uint8Array(64))),
      register: refusal(() => vm.encryption.registerRegion(memory.address, 0x1000)),
      unregister: refusal(() => vm.encryption.unregisterRegion(memory.address, 0x1000)),
    };
    vm.observer = observer;
    assertEquals("whether the host encrypts", able === "none" || able === "ENOTTY", true);
    assertEquals("answers", answers, {
      command: "ENOTTY",
      register: "ENOTTY",
      unregister: answers.unregister === "EINVAL" ? "EINVAL" : "ENOTTY",
    });
  },
  trace: `hlt`,
});
