import { asm, defineCases } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const rows = {
  "highest": { address: 0xffffd000n, answer: "none" },
  "one-too-high": { address: 0xffffd001n, answer: "EINVAL" },
  "ends-above-4-gib": { address: 0xffffe000n, answer: "EINVAL" },
  "above-4-gib": { address: 1n << 32n, answer: "EINVAL" },
};

/** The three pages of KVM_SET_TSS_ADDR lie below 4 GiB, or are refused. */
export default defineCases("system/tss-address", rows, ({ address, answer }) => ({
  spec: [
    "KVM API 4.36: KVM_SET_TSS_ADDR (a three-page region within the first 4 GiB)",
    "arch/x86/kvm/x86.c: kvm_vm_ioctl_set_tss_addr (6.1, 6.12), where the document names no errno",
  ],
  mode: "real",
  requires: ["KVM_CAP_SET_TSS_ADDR"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    context.assertEquals("the answer", refusal(() => vm.setTssAddress(address)), answer);
  },
  trace: `hlt`,
}));
