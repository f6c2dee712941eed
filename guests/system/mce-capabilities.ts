import { asm, defineCase, Kvm } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** IA32_MCG_CAP's MCG_CTL_P (SDM 3B 16.3.1.1). */
const MCG_CTL_P = 1n << 8n;

/** A vCPU takes the machine-check capabilities that the system supports, and none beside them. */
export default defineCase({
  id: "system/mce-capabilities",
  spec: [
    "KVM API 4.104: KVM_X86_GET_MCE_CAP_SUPPORTED",
    "KVM API 4.105: KVM_X86_SETUP_MCE",
    "SDM 3B 16.3.1.1: IA32_MCG_CAP",
  ],
  mode: "real",
  requires: ["KVM_CAP_MCE"],
  guest: asm`hlt`,
  drive({ vm, assertEquals }) {
    using kvm = Kvm.open();
    const banks = kvm.checkExtension("KVM_CAP_MCE");
    const supported = kvm.mceCapSupported() & ~0xffn;
    assertEquals("MCG_CTL_P", supported & MCG_CTL_P, MCG_CTL_P);
    const { observer } = vm;
    vm.observer = undefined;
    using vcpu = vm.createVcpu(1);
    const setup = (cap: bigint) => refusal(() => vcpu.setupMce(cap));
    assertEquals("all that is supported", setup(supported | BigInt(banks)), "none");
    const refused: Record<string, string> = {
      "no bank": setup(supported),
      "one bank too many": setup(supported | BigInt(banks + 1)),
    };
    const wanted: Record<string, string> = { "no bank": "EINVAL", "one bank too many": "EINVAL" };
    for (let bit = 8n; bit < 64n; bit++) {
      // Bits 23:16 count extended registers and say nothing without MCG_EXT_P, bit 9.
      if ((supported >> bit & 1n) === 1n || bit >= 16n && bit <= 23n) continue;
      refused[`bit ${bit}`] = setup(1n << bit | 1n);
      wanted[`bit ${bit}`] = "EINVAL";
    }
    vm.observer = observer;
    assertEquals("what is not supported", refused, wanted);
  },
  trace: `hlt`,
});
